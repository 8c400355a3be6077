"""`db prepare`: wait for the database, then bring its schema to the newest migration.

Any number of processes may start at once: one migrates, the rest wait for that.
"""

import logging
import time
import traceback
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from flask import current_app
from sqlalchemy import Engine, NullPool, create_engine, func, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from ..db.connection_limits import overdrawn
from .state import NotPreparedError, SchemaState, folder, known_revisions, schema_state, stored_revisions

LOCK = 0x736C6970776179  # the key of the advisory lock: "slipway" in ASCII
LOCK_TIMEOUT = "10s"  # on a table: all who come after a waiting ALTER TABLE wait too
POLL = 0.25  # seconds
HINTS = {  # what Postgres says, and what to do
    "contains null values": "There are rows already: let the column be null, or give it a server_default.",
    "could not create unique index": "There are duplicate values already: make them differ first.",
    "is violated by some row": "There are rows already that break it: change them, or the check.",
    "violates foreign key constraint": "There are rows already that refer to none: change or delete them.",
    "invalid input value for enum": "There are rows already with a value that goes: change them first.",
}

log = logging.getLogger("app.prepare")


def migrations() -> Config:
    """Return Alembic's configuration of this app."""
    state = current_app.extensions["migrate"]
    config: Config = state.migrate.get_config(state.directory)
    config.cmd_opts = Namespace(quiet=True)
    return config


def script_directory() -> ScriptDirectory:
    """Return the migrations; NotPreparedError names one that cannot be loaded."""
    scripts = ScriptDirectory.from_config(migrations())
    try:
        scripts.get_bases()  # which loads them
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        paths = [getattr(error, "filename", None), *(frame.filename for frame in reversed(frames))]
        names = [Path(path).name for path in paths if path and Path(path).parent.name == "versions"]
        if not names:
            known_revisions(folder())  # which tells what is wrong with what stands in a file
        which = f"web/migrations/versions/{names[0]}" if names else "a migration"
        raise NotPreparedError(f"{which} cannot be loaded: {error!r}") from error
    return scripts


def prepare(*, beside: bool = False) -> SchemaState:
    """Wait for the database and migrate it if need be; return where it then stands.

    NotPreparedError says what stands in the way: with `beside`, as code from before is to serve on meanwhile,
    that may be a migration which is not backward compatible.
    """
    engine = migration_engine()
    wait_for(engine, current_app.config["DATABASE_WAIT"])
    with engine.connect() as connection:
        if crowded := overdrawn(connection):
            log.warning(crowded)
    state = announce(engine)
    if state is SchemaState.BEHIND:
        with lock(engine):
            state = announce(engine)
            if state is SchemaState.BEHIND:
                if beside:
                    refuse_incompatible(engine)
                upgrade(engine)
                state = SchemaState.CURRENT
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


def announce(engine: Engine) -> SchemaState:
    """Log where the schema stands, and return it."""
    with engine.connect() as connection:
        state = schema_state(connection)
    if state is SchemaState.AHEAD:
        log.warning("the schema is newer than this code: nothing to migrate")
    elif state is SchemaState.CURRENT:
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


def refuse_incompatible(engine: Engine) -> None:
    """Raise NotPreparedError where the web that serves would fail on what is due; none serves on nothing."""
    with engine.connect() as connection:
        served = bool(stored_revisions(connection))
    for script in all_due(engine) if served else []:
        if not is_compatible(script):
            raise NotPreparedError(
                f"web/migrations/versions/{Path(script.path).name} is not backward compatible:"
                " the web that serves now would fail on it.\n"
                "Deploy first code that can do without what goes, and say backward_compatible = True in it;"
                " or type make deploy accept=incompatible, which lets requests fail until the new web serves."
            )


def is_compatible(script: Script) -> bool:
    """Tell whether the code from before a migration can run on the schema after it, as its file says."""
    return getattr(script.module, "backward_compatible", True) is True


def upgrade(engine: Engine) -> None:
    """Run the migrations that are due, each in a transaction; NotPreparedError tells which one failed."""
    config = migrations()
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except Exception as error:
        raise NotPreparedError(explain(due(engine), error)) from error
    log.info("the schema has been migrated")


def explain(failed: Script | None, error: Exception) -> str:
    """Return that a migration failed, with why, and what to do where that is known."""
    name, end = "", "failed"
    if failed is not None:
        name = f" {Path(failed.path).name}"
        end = "failed half way" if is_concurrent(failed) else "failed and was rolled back"
    what = str(error) if isinstance(error, SQLAlchemyError) else repr(error)
    hints = [hint for words, hint in HINTS.items() if words in what]
    return "\n".join([f"the migration{name} {end}:", what, *hints])


def is_concurrent(script: Script) -> bool:
    """Tell whether what a migration does is in no transaction, and can be there by half."""
    return "autocommit_block" in Path(script.path).read_text(encoding="utf-8")


def due(engine: Engine) -> Script | None:
    """Return the first migration that the database has not had; NotPreparedError as script_directory()."""
    return next(iter(all_due(engine)), None)


def all_due(engine: Engine) -> list[Script]:
    """Return the migrations that the database has not had, oldest first; NotPreparedError as due()."""
    with engine.connect() as connection:
        stored = tuple(stored_revisions(connection))
    return [*script_directory().iterate_revisions("heads", stored)][::-1]
