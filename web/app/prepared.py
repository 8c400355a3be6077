"""Statements that a connection has prepared: Postgres has read and understood them once.

https://www.postgresql.org/docs/current/sql-prepare.html. As in psycopg 3, one is prepared when it has come
a few times. Where that cannot be, as behind a pooler that hands connections round, it is run as it stands.
"""

from hashlib import sha256
from typing import Any

from psycopg2 import DataError, NotSupportedError, ProgrammingError
from psycopg2.errors import InvalidSqlStatementName

COMES_OFTEN = 5  # times
PREPARED_MAX = 100  # of a connection
# What a statement that is prepared may be refused for, and one that is not, is not: the types of its values
# are guessed otherwise, its table was altered since, or the server's session is another.
REFUSED = (ProgrammingError, DataError, NotSupportedError, InvalidSqlStatementName)


class Prepared:
    """A statement in psycopg2's words, with its values as `%(name)s`, and what it is prepared by."""

    def __init__(self, text: str, names: list[str]) -> None:
        self.text = text
        self.times = 0
        numbered = text % {name: f"${number}" for number, name in enumerate(names, 1)}
        # The same name is the same statement, whoever has prepared it.
        self.name = f"prepared_{sha256(numbered.encode()).hexdigest()[:32]}"
        self.preparation = f"PREPARE {self.name} AS {numbered}"
        values = ", ".join(f"%({name})s" for name in names)
        self.call = f"EXECUTE {self.name} ({values})" if names else f"EXECUTE {self.name}"

    def run(self, cursor: Any, known: dict[str, bool], values: dict[str, Any]) -> None:
        """Run the statement on a connection in AUTOCOMMIT mode, of which `known` tells what it has prepared.

        Raises what psycopg2 does.
        """
        self.times += 1
        if self.times > COMES_OFTEN and known.get(self.name, len(known) < PREPARED_MAX):
            try:
                if self.name not in known:
                    cursor.execute(self.preparation)
                    known[self.name] = True
                cursor.execute(self.call, values)
            except REFUSED:
                known[self.name] = False
            else:
                return
        cursor.execute(self.text, values)
