"""SELECTs that come again and again, run without the layers of SQLAlchemy that find out anew what is known.

That is kept with the statement. The records are the session's, as those that the ORM loads are. A statement
that is not plain is left to the ORM.
"""

from collections.abc import Callable, Iterable
from functools import cache
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Connection, Engine, Select
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import ColumnProperty, Mapper, Session
from sqlalchemy.orm.attributes import instance_dict, instance_state

from .prepared import Prepared

Process = Callable[[Any], Any]
# Relationships that are not loaded with their record.
LAZY = (True, "select", "dynamic", "raise", "write_only")


class Program:
    """A statement that is compiled for good, and yields `columns` of a model."""

    def __init__(self, compiled: Any, columns: Iterable[Any], mapper: Mapper[Any]) -> None:
        self.mapper = mapper
        self.compiled = compiled
        compiled.statement = None  # by which PLANS would keep itself alive
        self.columns = list(columns)
        self.keys = [mapper.get_property_by_column(column).key for column in self.columns]
        escaped = compiled.escaped_bind_names or {}
        self.binds = [
            (name, escaped.get(name, name), bind, compiled._bind_processors.get(name))
            for bind, name in compiled.bind_names.items()
        ]
        self.prepared = Prepared(compiled.string, [sent_as for _, sent_as, _, _ in self.binds])
        self.from_driver: list[tuple[int, Process]] | None = None

    def run(self, engine: Engine | Connection, connection: Any, values: dict[str, Any]) -> list[Any]:
        """Return the rows that the statement yields on a driver's connection of `engine` (DBAPIError).

        That is in AUTOCOMMIT mode, or, in tests, one connection.
        """
        try:
            cursor = connection.cursor()
            if isinstance(engine, Engine):
                self.prepared.run(cursor, connection.info, values)
            else:
                cursor.execute(self.prepared.text, values)
            rows: list[Any] = cursor.fetchall()
        except engine.dialect.dbapi.Error as error:  # type: ignore[union-attr] # psycopg2
            lost = bool(engine.dialect.is_disconnect(error, connection, None))
            if lost:
                connection.invalidate(error)
            raise told(engine, error, lost, self.prepared.text) from error
        if self.from_driver is None:
            self.from_driver = self.processors(engine, cursor.description)
        return self.read(rows)

    def values(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return what the driver is given for `parameters` (StatementError)."""
        try:
            values = {}
            for name, sent_as, bind, process in self.binds:
                if bind.key in parameters:
                    value = parameters[bind.key]
                elif name in parameters or bind.required:
                    value = self.compiled.construct_params(parameters)[name]
                else:
                    value = bind.effective_value
                values[sent_as] = process(value) if process else value
        except Exception as error:
            raise StatementError(str(error), self.prepared.text, None, error) from error
        return values

    def processors(self, engine: Engine | Connection, description: Any) -> list[tuple[int, Process]]:
        """Return what makes the values of columns of what the driver gives, where that is anything else."""
        processes = (
            column.type._cached_result_processor(engine.dialect, described[1])
            for column, described in zip(self.columns, description, strict=True)
        )
        return [(position, process) for position, process in enumerate(processes) if process is not None]

    def read(self, rows: list[Any]) -> list[Any]:
        """Return `rows` in the values of their columns."""
        for position, process in self.from_driver or ():
            rows = [(*row[:position], process(row[position]), *row[position + 1 :]) for row in rows]
        return rows


class Plan(Program):
    """How a SELECT of the records of one model is run, and what becomes of its rows."""

    def __init__(self, compiled: Any, columns: Iterable[Any], mapper: Mapper[Any]) -> None:
        super().__init__(compiled, columns, mapper)
        primary = [self.keys.index(mapper.get_property_by_column(key).key) for key in mapper.primary_key]
        one = slice(primary[0], primary[0] + 1)
        self.primary_of = itemgetter(*primary) if len(primary) > 1 else itemgetter(one)

    def records(self, session: Session, rows: list[Any]) -> list[Any]:
        """Return the records that `rows` are of, which `session` knows then as if the ORM had loaded them."""
        known, owner, model, keys = session.identity_map, session.hash_key, self.mapper.class_, self.keys
        make, primary_of = self.mapper.class_manager.new_instance, self.primary_of
        records = []
        for row in rows:
            primary = primary_of(row)
            key = (model, primary, None)
            record = known.get(key)
            if record is None and None not in primary:  # as in an outer join
                record = make()
                state = instance_state(record)
                state.key = key
                state.session_id = owner
                known._add_unpresent(state, key)
                instance_dict(record).update(zip(keys, row, strict=True))
            records.append(record)
        return records


def connect(engine: Engine) -> Any:
    """Return a connection of `engine` as its driver has it (DBAPIError, TimeoutError of SQLAlchemy)."""
    try:
        return engine.raw_connection()
    except engine.dialect.dbapi.Error as error:  # type: ignore[union-attr] # psycopg2
        raise told(engine, error) from error


def told(
    engine: Engine | Connection, error: Any, lost: bool = False, statement: str | None = None
) -> BaseException:
    """Return what SQLAlchemy raises for an error of the driver."""
    base: Any = engine.dialect.dbapi.Error  # type: ignore[union-attr] # psycopg2
    hidden = engine.engine.hide_parameters
    wrapped: BaseException = DBAPIError.instance(
        statement, None, error, base, hidden, lost, dialect=engine.dialect
    )
    return wrapped


def make_plan(statement: Select[Any], engine: Engine | Connection) -> Plan | None:
    """Return the plan of `statement`; None where that does not load whole records of one model."""
    described = statement.column_descriptions
    model = described[0]["expr"] if len(described) == 1 else None
    mapper = getattr(model, "__mapper__", None) if isinstance(model, type) else None
    if mapper is None or statement._with_options or statement._execution_options or not is_plain(mapper):
        return None
    plan = Plan(statement.compile(dialect=engine.dialect), statement.selected_columns, mapper)
    later = plan.compiled.literal_execute_params or plan.compiled.post_compile_params
    return None if later or sorted(plan.keys) != sorted(mapper.column_attrs.keys()) else plan


def is_plain(mapper: Mapper[Any]) -> bool:
    """Tell whether a record of `mapper` is what its columns hold; nothing else happens as it is loaded."""
    table: Any = mapper.local_table
    elsewhere = table.metadata.info.get("bind_key") is not None
    return not elsewhere and not mapper.class_manager.dispatch.load and has_plain_columns(mapper)


@cache
def has_plain_columns(mapper: Mapper[Any]) -> bool:
    """Tell whether `mapper` loads the columns of a table of its own, all of them, and nothing else."""
    columns = [prop for prop in mapper.iterate_properties if isinstance(prop, ColumnProperty)]
    others = [prop for prop in mapper.iterate_properties if not isinstance(prop, ColumnProperty)]
    return (
        mapper.inherits is None
        and not mapper.polymorphic_map
        and not any(prop.deferred or not isinstance(prop.columns[0], Column) for prop in columns)
        and all(getattr(prop, "lazy", None) in LAZY for prop in others)
    )


# What is known of statements: True of one that came once, False of one that has no plan.
PLANS: WeakKeyDictionary[Select[Any], Plan | bool] = WeakKeyDictionary()


def plan_of(statement: Select[Any], engine: Engine | Connection) -> Plan | None:
    """Return the plan of a statement that comes again, None where the ORM is to run it."""
    known = PLANS.get(statement)
    if known is None:
        PLANS[statement] = True
    elif known is True:
        PLANS[statement] = known = make_plan(statement, engine) or False
    return known if isinstance(known, Plan) else None
