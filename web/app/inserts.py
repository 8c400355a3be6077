"""The INSERT of one new record, where that is all that a session has to store: no transaction goes around it.

What the record is given, and what it then has, is what the ORM's unit of work gives it. What is not plain is
left to that.
"""

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import ClauseElement, Column, Dialect, Engine, insert
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.attributes import instance_dict

from .light import Program, is_plain

PROGRAMS_MAX = 200
STATE = "_sa_instance_state"  # what the ORM keeps beside the values of a record
EVENTS = attrgetter(  # of a session, which would come otherwise, or not at all
    "before_attach",
    "after_attach",
    "before_commit",
    "before_flush",
    "after_flush",
    "after_flush_postexec",
    "pending_to_persistent",
    "pending_to_transient",
    "detached_to_persistent",
)


class NotPlainError(Exception):
    """This is for the unit of work."""


def insert_alone(session: Session, engine: Engine, connect: Callable[[Engine], Any]) -> bool:
    """Store the one new record of `session`, if that is plain and all that is to be stored (DBAPIError).

    `engine` is in AUTOCOMMIT mode; `connect` gives a connection of its driver. The record is the session's
    then, with the values of all its columns. Return whether it is stored.
    """
    [(state, record)] = session._new.items()
    mapper: Mapper[Any] = record.__mapper__
    if session._deleted or session.identity_map.check_modified() or not is_alone(session, mapper):
        return False
    given = instance_dict(record)
    try:
        with session.no_autoflush:  # for defaults that ask, which do not store it
            values = values_of(mapper, given)
    except NotPlainError:
        return False
    program = program_of(mapper, frozenset(values), engine.dialect)
    try:
        [row] = program.run(engine, connect(engine), program.values(values))
    except Exception:
        session.expunge(record)  # as it is after a flush that failed
        raise
    stored = zip(program.keys, row, strict=True)
    given.update({key: value for key, value in stored if given.get(key) is None})
    session._register_persistent({state})
    return True


def is_alone(session: Session, mapper: Mapper[Any]) -> bool:
    """Tell whether nothing but its INSERT happens as a record of `mapper` is stored."""
    watched = any(EVENTS(session.dispatch))
    return (
        not watched
        and not mapper.dispatch.before_insert
        and not mapper.dispatch.after_insert
        and is_plain(mapper)
    )


def values_of(mapper: Mapper[Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return what the columns of a new record are given (NotPlainError).

    As in the unit of work, null is left to the database, and a version begins as its generator says.
    """
    columns: dict[str, Column[Any]] = mapper.columns  # type: ignore[assignment] # a mapping
    values: dict[str, Any] = {}
    for key in given.keys() - {STATE}:
        value = given[key]
        if key not in columns or isinstance(value, ClauseElement):
            raise NotPlainError
        if value is not None:
            values[columns[key].key] = value
        elif columns[key].type.should_evaluate_none:
            raise NotPlainError
    if mapper.version_id_col is not None and mapper.version_id_generator:
        values[str(mapper.version_id_col.key)] = mapper.version_id_generator(None)
    missing = [
        column for column in columns.values() if column.default is not None and column.key not in values
    ]
    return values | {column.key: default_of(column) for column in missing}


def default_of(column: Column[Any]) -> Any:
    """Return what a column is given where it is given nothing (NotPlainError)."""
    default: Any = column.default
    if default.is_scalar:
        return default.arg
    if not default.is_callable:
        raise NotPlainError
    try:
        return default.arg(None)
    except Exception as error:
        raise NotPlainError from error  # such as one that looks at the other values, by its argument


@lru_cache(PROGRAMS_MAX)
def program_of(mapper: Mapper[Any], names: frozenset[str], dialect: Dialect) -> Program:
    """Return the INSERT of a record of `mapper` with these columns, which yields them all."""
    table: Any = mapper.local_table
    columns = [attribute.columns[0] for attribute in mapper.column_attrs]
    compiled = insert(table).returning(*columns).compile(dialect=dialect, column_keys=sorted(names))
    return Program(compiled, columns, mapper)
