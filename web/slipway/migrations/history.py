"""What the database has had, and a step back: `db revisions` and `db stepback`.

They are behind `make migrations` and `make downgrade`.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from alembic import command
from alembic.script import Script
from flask import current_app
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from .state import NotPreparedError, stored_revisions
from .upgrade import lock, migration_engine, migrations, script_directory, wait_for


def stepback() -> str:
    """Undo the newest migration that the database has had; return the name of its file."""
    engine = connected()
    with lock(engine):
        name = Path(newest(engine).path).name
        try:
            downgrade(engine, "-1")
        except Exception as error:
            what = str(error) if isinstance(error, SQLAlchemyError) else repr(error)
            raise NotPreparedError(f"the migration {name} could not be undone, and stays:\n{what}") from error
    return name


def newest(engine: Engine) -> Script:
    """Return the newest migration that the database has had; NotPreparedError where there is none to undo."""
    scripts = {script.revision: script for script in walk()}
    had = heads(engine)
    if not had:
        raise NotPreparedError("there is nothing to undo: the database has had no migration")
    for revision in had:
        if revision not in scripts:
            raise NotPreparedError(
                f"the database has had the migration {revision}, which this code does not have;"
                " go back to the code that has it"
            )
    return scripts[had[0]]


def revisions() -> Iterator[str]:
    """Yield a line for each migration, oldest first, and where the database stands."""
    scripts = walk()
    had = heads(connected())
    known = [revision for revision in had if revision in {script.revision for script in scripts}]
    applied = reached(known)
    for script in scripts:
        state = "applied" if script.revision in applied else "ahead" if len(known) < len(had) else "due"
        here = "  <- the database is here" if script.revision in had else ""
        yield f"{date(script)}  {script.revision}  {state:7}  {script.doc}{here}"
    yield standing([r for r in had if r not in known], len(scripts) - len(applied))


def standing(unknown: Sequence[str], due: int) -> str:
    """Return how the database stands to the code."""
    if unknown:
        return f"The database is ahead: it has had {', '.join(unknown)}, which this code does not have."
    if due:
        return f"{due} {'is' if due == 1 else 'are'} due; make up applies {'it' if due == 1 else 'them'}."
    return "The database has had them all."


def date(script: Script) -> str:
    """Return the time in the name of the script's file, where it has one."""
    day, _, rest = Path(script.path).name.partition("_")
    time = rest.partition("_")[0]
    if not (day + time).isdigit() or len(day) != 8 or len(time) != 6:
        return f"{'':19}"
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {time[:2]}:{time[2:4]}:{time[4:]}"


def connected() -> Engine:
    """Return an engine for migrations once the database answers."""
    engine = migration_engine()
    wait_for(engine, current_app.config["DATABASE_WAIT"])
    return engine


def walk() -> list[Script]:
    """Return the migrations of this code, oldest first."""
    return [*script_directory().walk_revisions()][::-1]


def reached(revisions: Collection[str]) -> set[str]:
    """Return `revisions`, which this code has, and all that they come after."""
    scripts = script_directory().iterate_revisions(tuple(revisions), "base")
    return {script.revision for script in scripts}


def heads(engine: Engine) -> tuple[str, ...]:
    """Return the newest migrations that the database has had."""
    with engine.connect() as connection:
        return tuple(sorted(stored_revisions(connection)))


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to `revision`."""
    config = migrations()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def stamp(engine: Engine, revision: str) -> None:
    """Note that the database has had `revision`, without applying it."""
    config = migrations()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.stamp(config, revision)
