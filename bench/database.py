"""What the benchmark does to the database itself."""

from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from .stack import Stack
from .works import ISSUER, MILLION, RECORDS, TOKEN

SEED = Path(__file__).parent / "seed.sql"
TIDY = ("VACUUM ANALYZE notes", "VACUUM ANALYZE tasks", "CHECKPOINT")
MORE = """
INSERT INTO notes (title, body)
  SELECT 'Record ' || i, 'One of a million.' FROM generate_series(:first, :last) AS i
"""


class Database:
    """The stack's database, by statements that are no request, of the superuser who may CHECKPOINT."""

    def __init__(self, stack: Stack) -> None:
        told = stack.web_environment
        url = make_url(told["DATABASE_URL"]).set(drivername="postgresql+psycopg2", username="cluster")
        where = {"host": told["PGHOST"]}
        self.engine: Engine = create_engine(
            url, connect_args=where, isolation_level="AUTOCOMMIT", poolclass=NullPool
        )

    def run(self, *statements: str, **values: object) -> None:
        """Run statements with those of `values` that they name."""
        with self.engine.connect() as connection:
            for statement in statements:
                named = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(text(statement), named)

    def seed(self) -> None:
        """Insert the records that are asked for."""
        self.run(*statements(SEED.read_text()), issuer=ISSUER, token=TOKEN.encode(), records=RECORDS)
        self.tidy()

    def forget_created(self) -> None:
        """Delete what a load has created, and what is left of it in tables and indexes."""
        self.run(*(f"DELETE FROM {table} WHERE id > {RECORDS}" for table in ("notes", "tasks")))  # noqa: S608 # fixed
        self.tidy()

    def fill(self) -> None:
        """Insert notes until there are a million."""
        self.run(MORE, first=RECORDS + 1, last=MILLION)
        self.tidy()

    def tidy(self) -> None:
        """Leave nothing for Postgres to do by itself while something is measured."""
        self.run(*TIDY)

    def version(self) -> str:
        """Return the version of the server."""
        with self.engine.connect() as connection:
            return str(connection.scalar(text("SHOW server_version")))

    def second_page_from_end(self) -> int:
        """Return the id of the note before the last page, newest first."""
        with self.engine.connect() as connection:
            return int(connection.scalar(text("SELECT id FROM notes ORDER BY id OFFSET 20 LIMIT 1")) or 0)


def statements(script: str) -> list[str]:
    """Return the statements of an SQL script."""
    lines = (line for line in script.splitlines() if not line.startswith("--"))
    return [statement for statement in "\n".join(lines).split(";") if statement.strip()]
