"""SELECTs that come often, as statements that a connection has prepared: Postgres has planned them already.

https://www.postgresql.org/docs/current/sql-prepare.html. What cannot be run so is run as it stands, as behind
a pooler that hands connections round, or after a change of its table.
"""

from hashlib import sha256
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg2
from psycopg2.errors import InvalidSqlStatementName
from sqlalchemy import Connection, CursorResult, Select, TextualSelect, bindparam, column, text
from sqlalchemy.exc import DBAPIError

COMES_OFTEN = 5  # times
PREPARED_MAX = 100  # of a connection
# As what Postgres takes the literals that psycopg2 writes. Values of other types are not given to a statement
# that is prepared: of a parameter that is not declared Postgres guesses the type, and converts what comes.
TYPES: dict[type, str] = {
    bool: "boolean",
    bytes: "bytea",
    int: "bigint",
    str: "unknown",
    NoneType: "unknown",
    UUID: "uuid",
}
# What is refused of a statement that is prepared, and not of one that stands there: its table was altered
# since, or the server's session is another.
REFUSED = (psycopg2.ProgrammingError, psycopg2.NotSupportedError, InvalidSqlStatementName)


class Variant(NamedTuple):
    """A statement for values of certain types."""

    name: str
    preparation: str
    call: TextualSelect


class Prepared:
    """How a SELECT is prepared, and what it is executed by then."""

    def __init__(self, statement: Select[Any], connection: Connection) -> None:
        self.compiled = statement.compile(dialect=connection.dialect)
        self.binds = [bindparam(name, type_=bind.type) for bind, name in self.compiled.bind_names.items()]
        self.columns: list[Any] = [column(str(it.key), it.type) for it in statement.selected_columns]
        self.variants: dict[tuple[str, ...], Variant] = {}

    def execute(self, connection: Connection, values: dict[str, Any]) -> CursorResult[Any] | None:
        """Return the result; None where the statement is to be run as it stands (DBAPIError)."""
        found = self.compiled.construct_params(values)
        try:
            types = tuple([TYPES[type(found[bind.key])] for bind in self.binds])
        except KeyError:
            return None
        variant = self.variants.get(types) or self.variants.setdefault(types, self.variant(types))
        known = connection.info.setdefault("prepared", {})
        if not known.get(variant.name, len(known) < PREPARED_MAX):
            return None
        try:
            if variant.name not in known:
                connection.exec_driver_sql(variant.preparation)
                known[variant.name] = True
            return connection.execute(variant.call, found)
        except DBAPIError as error:
            if isinstance(error.orig, psycopg2.DataError):
                return None  # a value that its column cannot hold, and may be compared with
            if not isinstance(error.orig, REFUSED):
                raise
            known[variant.name] = False
            return None

    def variant(self, types: tuple[str, ...]) -> Variant:
        """Return the variant for values of `types`."""
        names = [bind.key for bind in self.binds]
        numbered = str(self.compiled) % {name: f"${number}" for number, name in enumerate(names, 1)}
        declared = f" ({', '.join(types)})" if types else ""
        # The same name is the same statement, whoever has prepared it.
        name = f"prepared_{sha256(f'{declared}{numbered}'.encode()).hexdigest()[:32]}"
        given = f" ({', '.join(f':{name}' for name in names)})" if names else ""
        call = text(f"EXECUTE {name}{given}").bindparams(*self.binds).columns(*self.columns)
        return Variant(name, f"PREPARE {name}{declared} AS {numbered}", call)


class Kept:
    """What is known of SELECTs, for as long as somebody keeps them."""

    def __init__(self) -> None:
        self.times: WeakKeyDictionary[Select[Any], int] = WeakKeyDictionary()
        self.prepared: WeakKeyDictionary[Select[Any], Prepared] = WeakKeyDictionary()

    def execute(
        self, connection: Connection, statement: Select[Any], values: dict[str, Any] | None
    ) -> CursorResult[Any]:
        """Run a plain `statement` (DBAPIError); in a transaction, which a refusal would end, as it stands."""
        driver: Any = connection.connection.driver_connection
        if not driver.autocommit:
            return connection.execute(statement, values)
        found = self.prepared.get(statement)
        if found is None:
            times = self.times[statement] = self.times.get(statement, 0) + 1
            if times > COMES_OFTEN:
                found = self.prepared[statement] = Prepared(statement, connection)
        result = found.execute(connection, values or {}) if found else None
        return connection.execute(statement, values) if result is None else result
