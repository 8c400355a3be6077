"""Statements that a connection has prepared: Postgres has read and understood them once.

https://www.postgresql.org/docs/current/sql-prepare.html. As in psycopg 3, one is prepared when it has come
a few times, for values of certain types. Where that cannot be, as for values of other types, or behind a
pooler that hands connections round, it is run as it stands.
"""

import re
from hashlib import sha256
from types import NoneType
from typing import Any, NamedTuple

from psycopg2 import Binary, DataError, NotSupportedError, ProgrammingError
from psycopg2.errors import InvalidSqlStatementName

COMES_OFTEN = 5  # times
PREPARED_MAX = 100  # of a connection
# As what Postgres takes the literals that psycopg2 writes. Other types are not prepared: of one that is not
# declared, Postgres guesses what it is, and converts what comes, 1.5 into 2.
TYPES: dict[type, str] = {
    int: "bigint",
    bool: "boolean",
    str: "unknown",
    NoneType: "unknown",
    type(Binary(b"")): "bytea",
}
# What is refused of a statement that is prepared, and not of one that stands there: its table was altered
# since, the server's session is another, it wants another kind of number.
REFUSED = (ProgrammingError, NotSupportedError, InvalidSqlStatementName)
# What stands for the time that it is prepared at.
TIME = re.compile("'(now|today|tomorrow|yesterday)'", re.IGNORECASE)


class Variant(NamedTuple):
    """A statement for values of certain types."""

    name: str
    preparation: str
    call: str


class Prepared:
    """A statement in psycopg2's words, with its values as `%(name)s`, and what it is prepared by."""

    def __init__(self, text: str, names: list[str]) -> None:
        self.text = text
        self.names = list(dict.fromkeys(names))
        self.times = 0
        self.can_be = not TIME.search(text)
        self.variants: dict[tuple[str, ...], Variant] = {}

    def run(self, cursor: Any, known: dict[str, bool], values: dict[str, Any]) -> None:
        """Run the statement on a connection in AUTOCOMMIT mode, of which `known` tells what it has prepared.

        Raises what psycopg2 does.
        """
        self.times += 1
        variant = self.variant(values) if self.times > COMES_OFTEN and self.can_be else None
        if variant is not None and known.get(variant.name, len(known) < PREPARED_MAX):
            try:
                if variant.name not in known:
                    cursor.execute(variant.preparation)
                    known[variant.name] = True
                cursor.execute(variant.call, values)
            except REFUSED:
                known[variant.name] = False
            except DataError:
                pass  # these values are; told below, if not only here
            else:
                return
        cursor.execute(self.text, values)

    def variant(self, values: dict[str, Any]) -> Variant | None:
        """Return the variant for the types of `values`, None where one is of none of TYPES."""
        try:
            types = tuple([TYPES[type(values[name])] for name in self.names])
        except KeyError:
            return None
        found = self.variants.get(types)
        if found is None:
            found = self.variants[types] = self.make_variant(types)
        return found

    def make_variant(self, types: tuple[str, ...]) -> Variant:
        """Return the variant for values of `types`."""
        numbered = self.text % {name: f"${number}" for number, name in enumerate(self.names, 1)}
        declared = f" ({', '.join(types)})" if types else ""
        # The same name is the same statement, whoever has prepared it.
        name = f"prepared_{sha256(f'{declared}{numbered}'.encode()).hexdigest()[:32]}"
        values = f" ({', '.join(f'%({name})s' for name in self.names)})" if types else ""
        return Variant(name, f"PREPARE {name}{declared} AS {numbered}", f"EXECUTE {name}{values}")
