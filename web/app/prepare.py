"""`db prepare`: wait for the database, then bring its schema to the newest migration.

Any number of processes may start at once: one migrates, the rest wait for that.
"""

import enum
import logging
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, Engine, NullPool, create_engine, func, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

LOCK = 0x736C6970776179  # the key of the advisory lock: "slipway" in ASCII
LOCK_TIMEOUT = "10s"  # on a table: all who come after a waiting ALTER TABLE wait too
POLL = 0.25  # seconds

log = logging.getLogger("app.prepare")


class NotPreparedError(Exception):
    """The database cannot be used; the message says why, and what to do."""


class Schema(enum.Enum):
    """Where the database's schema stands, seen from this code's migrations."""

    BEHIND = "behind"
    CURRENT = "current"
    AHEAD = "ahead"


def migrations() -> Config:
    """Return Alembic's configuration of this app."""
    state = current_app.extensions["migrate"]
    config: Config = state.migrate.get_config(state.directory)
    config.cmd_opts = Namespace(quiet=True)
    return config


@cache
def known_revisions(directory: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the newest revisions and all the revisions of the migrations in `directory`."""
    script = ScriptDirectory(directory)
    try:
        heads, known = frozenset(script.get_heads()), frozenset(r.revision for r in script.walk_revisions())
    except Exception as error:
        raise NotPreparedError(f"the migrations cannot be read: {error!r}") from error
    if len(heads) > 1:
        raise NotPreparedError(
            f"there are several newest migrations ({', '.join(sorted(heads))}), as after a merge of branches;"
            ' join them: make flask A="db merge heads"'
        )
    return heads, known


def schema_state(connection: Connection) -> Schema:
    """Return where the schema of the database behind `connection` stands."""
    heads, known = known_revisions(current_app.extensions["migrate"].directory)
    stored = set(MigrationContext.configure(connection).get_current_heads())
    if stored == heads:
        return Schema.CURRENT
    return Schema.BEHIND if stored <= known else Schema.AHEAD


def prepare() -> Schema:
    """Wait for the database and migrate it if need be; return where it then stands.

    NotPreparedError says what stands in the way.
    """
    engine = migration_engine()
    wait_for(engine, current_app.config["DATABASE_WAIT"])
    state = announce(engine)
    if state is Schema.BEHIND:
        with lock(engine):
            state = announce(engine)
            if state is Schema.BEHIND:
                upgrade(engine)
                state = Schema.CURRENT
    return state


def migration_engine() -> Engine:
    """Return an engine for migrations: no pool, and a bound on the wait for a table's lock."""
    options = current_app.config["SQLALCHEMY_ENGINE_OPTIONS"]["connect_args"]
    connect_args = options | {"options": f"{options['options']} -c lock_timeout={LOCK_TIMEOUT}"}
    uri = current_app.config["SQLALCHEMY_DATABASE_URI"]
    return create_engine(uri, poolclass=NullPool, connect_args=connect_args)


def wait_for(engine: Engine, seconds: float) -> None:
    """Wait until the database takes connections, `seconds` at most."""
    deadline, told = time.monotonic() + seconds, ""
    while True:
        try:
            engine.connect().close()
            return
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
        where = engine.url.render_as_string(hide_password=True)
        if "password authentication failed" in reason:
            raise NotPreparedError(
                f"{where} refuses the password. If .env was changed, put the old password back, or teach the"
                " database the new one: make psql, then \\password. The data is untouched."
            )
        if "does not exist" in reason:
            raise NotPreparedError(f"{where}: {reason}. If .env was changed, put the old name back.")
        if time.monotonic() > deadline:
            raise NotPreparedError(f"no answer from {where} in {seconds:.0f} s: {reason}")
        if reason != told:
            log.info("waiting for %s: %s", where, reason)
            told = reason
        time.sleep(1)


def announce(engine: Engine) -> Schema:
    """Log where the schema stands, and return it."""
    with engine.connect() as connection:
        state = schema_state(connection)
    if state is Schema.AHEAD:
        log.warning("the schema is newer than this code: nothing to migrate")
    elif state is Schema.CURRENT:
        log.info("the schema is up to date")
    return state


@contextmanager
def lock(engine: Engine) -> Iterator[None]:
    """Hold the advisory lock of the migrations.

    It is polled for, outside a transaction: a session that waits in pg_advisory_lock has a snapshot, and
    CREATE INDEX CONCURRENTLY, in the session that holds the lock, would wait for that in turn.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(select(func.pg_try_advisory_lock(LOCK))):
            time.sleep(POLL)
        yield


def upgrade(engine: Engine) -> None:
    """Run the migrations that are due, each in a transaction; NotPreparedError tells which one failed."""
    config = migrations()
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except Exception as error:
        what = str(error) if isinstance(error, SQLAlchemyError) else repr(error)
        if "contains null values" in what:
            what += "\nThere are rows already: let the column be null, or give it a server_default."
        raise NotPreparedError(
            f"the migration {next_due(engine)} failed and was rolled back:\n{what}"
        ) from error
    log.info("the schema has been migrated")


def next_due(engine: Engine) -> str:
    """Return the file name of the first migration that the database has not had."""
    with engine.connect() as connection:
        stored = MigrationContext.configure(connection).get_current_heads()
    *_, due = ScriptDirectory.from_config(migrations()).iterate_revisions("heads", stored)
    return Path(due.path).name
