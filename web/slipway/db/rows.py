"""Rows by SQLAlchemy Core, for what is only shown: without a record of the ORM, or a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from flask import abort
from flask_sqlalchemy import SQLAlchemy
from psycopg2.extensions import STATUS_READY
from sqlalchemy import (
    Column,
    Connection,
    CursorResult,
    Engine,
    Insert,
    Select,
    bindparam,
    insert,
    inspect,
    select,
)
from sqlalchemy.orm import Mapper, Session

from .plain_reads import is_plain_read
from .prepared_statements import Kept

STANDS_ALONE = "stands_alone"  # the execution option of a SELECT that may be run outside a transaction


class Row:
    """What the database has of a record, by the names of the attributes of its model."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__ = values

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"a row has its columns, and no {name!r}: records are read by db.session")


class Rows:
    """Reads rows, and stores them, each by a statement that stands alone.

    Where the session of the request is in a transaction, all is done there, and sees what was changed.
    """

    def __init__(self, db: SQLAlchemy) -> None:
        self.db = db
        self.kept = Kept()
        self.selects: WeakKeyDictionary[Select[Any], Select[Any]] = WeakKeyDictionary()

    def select(self, statement: Select[Any]) -> Select[Any]:
        """Return a SELECT of the columns of the model that `statement` is of (TypeError)."""
        found = self.selects.get(statement)
        if found is None:
            found = self.selects[statement] = select_columns(statement)
        return found

    def all(self, statement: Select[Any], values: dict[str, Any] | None = None) -> list[Row]:
        """Return the rows of a statement that `select` has returned (DBAPIError)."""
        session = self.transaction()
        if session is None and statement.get_execution_options().get(STANDS_ALONE):
            with alone(self.db.engine) as connection:
                return fetch(self.kept.execute(connection, statement, values))
        session = session or self.db.session()
        session.flush()
        return fetch(session.connection().execute(statement, values))

    def first(self, statement: Select[Any], values: dict[str, Any] | None = None) -> Row | None:
        """Return the first row of the model that `statement` is of, None where there is none (DBAPIError)."""
        found = self.all(self.select(statement), values)
        return found[0] if found else None

    def first_or_404(self, statement: Select[Any], values: dict[str, Any] | None = None) -> Row:
        """Return the first row of the model that `statement` is of, else answer 404 (DBAPIError)."""
        return self.first(statement, values) or abort(404)

    def get_or_404(self, model: type, key: Any) -> Row:
        """Return the row of `model` with the primary key `key`, else answer 404 (DBAPIError)."""
        return self.first_or_404(select_one(model), {"key": key})

    def insert(self, model: type, data: dict[str, Any]) -> Row:
        """Store a row of `model`, and return it as it is stored (DBAPIError; TypeError).

        It is stored for good, and with it whatever the session has changed. The defaults of its columns hold;
        as no record is made, nothing is called that waits for one.
        """
        statement, names, nulls = insert_one(model)
        if unknown := data.keys() - names.keys():
            raise TypeError(f"{model.__name__} has no column {', '.join(sorted(unknown))}")
        values = dict.fromkeys(nulls) | {names[name]: value for name, value in data.items()}
        session = self.transaction()
        if session is None:
            with alone(self.db.engine) as connection:
                [row] = fetch(connection.execute(statement, values))
        else:
            session.flush()
            [row] = fetch(session.connection().execute(statement, values))
            session.commit()
        return row

    def transaction(self) -> Session | None:
        """Return the session, if it is in a transaction."""
        session: Session | None = self.db.session() if self.db.session.registry.has() else None
        return session if session is not None and session.in_transaction() else None


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """Yield a connection of `engine` whose statements stand alone, without BEGIN and ROLLBACK around them.

    Not where somebody listens for the beginning of transactions, or has chosen how they are isolated.
    https://www.psycopg.org/docs/connection.html#connection.autocommit
    """
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if driver.status != STATUS_READY or driver.isolation_level is not None or engine.dispatch.begin:
            yield connection
            connection.commit()
            return
        driver.autocommit = True
        try:
            yield connection
        finally:
            if not driver.closed:
                driver.autocommit = False


def fetch(result: CursorResult[Any]) -> list[Row]:
    """Return the rows of `result`."""
    names = list(result.keys())
    return [Row(dict(zip(names, values, strict=True))) for values in result.all()]


def mapper_of(entity: Any) -> Mapper[Any]:
    """Return the mapper of a model, or of an alias of one, in the app's own database (TypeError)."""
    mapper: Mapper[Any] = inspect(entity).mapper
    if mapper.persist_selectable.metadata.info.get("bind_key") is not None:  # type: ignore[attr-defined] # of a Table
        raise TypeError(f"{mapper.class_.__name__} is in another database: use db.session")
    return mapper


@cache
def select_one(model: type) -> Select[Any]:
    """Return the SELECT of the record of `model` that has the primary key `key`."""
    mapper: Mapper[Any] = inspect(model)
    return select(model).where(mapper.primary_key[0] == bindparam("key"))


@cache
def insert_one(model: type) -> tuple[Insert, dict[str, str], list[str]]:
    """Return the INSERT of a row of `model`, which yields all its columns (TypeError).

    With it, what the attributes of `model` are called there, and which are null unless they are given.
    """
    mapper = mapper_of(model)
    if mapper.validators or mapper.inherits or mapper.polymorphic_on is not None:
        raise TypeError(f"{model.__name__} validates, or is several tables: add a record to db.session")
    columns = {prop.key: prop.columns[0] for prop in mapper.column_attrs}
    stored = {name: column for name, column in columns.items() if isinstance(column, Column)}
    names = {name: str(column.key) for name, column in stored.items()}
    nulls = [
        str(it.key) for it in stored.values() if it.nullable and not it.default and not it.server_default
    ]
    yielded = [column.label(name) for name, column in columns.items()]
    return insert(mapper.local_table).returning(*yielded), names, nulls  # type: ignore[arg-type] # a Table


def select_columns(statement: Select[Any]) -> Select[Any]:
    """Return `statement` as a SELECT of the columns of its model (TypeError)."""
    [described, *others] = statement.column_descriptions
    entity = described["entity"]
    if others or described["expr"] is not entity:
        raise TypeError("rows are those of one model: db.select(Model)")
    mapper = mapper_of(entity)
    columns = [getattr(entity, prop.key).label(prop.key) for prop in mapper.column_attrs]
    found = statement.with_only_columns(*columns)
    return found.execution_options(**{STANDS_ALONE: is_plain_read(statement)})
