"""`db evolve`, behind `make migrate`: write and apply the revisions that take the database to the models."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from alembic.script import Script
from flask import current_app
from sqlalchemy import Engine

from ..history import downgrade, heads, stamp
from ..state import NotPreparedError, SchemaState, folder, known_revisions
from ..upgrade import due, is_concurrent, lock, migration_engine, prepare, upgrade
from .write import Renames, refuse_danger, write_revisions

REVISION = re.compile(r"""^revision = ['"](\w+)""", re.MULTILINE)  # also in a file that is no Python


class StuckError(NotPreparedError):
    """Some of the revisions of a run are applied, and can neither be followed by the rest nor undone."""


def evolve(
    message: str | None = None, renames: Renames = (), accepts: Collection[str] = (), *, drop: bool = False
) -> None:
    """Bring the database to head; in development, write and apply revisions if the models differ from it.

    `renames` are the (old, new) names of columns that are renamed rather than dropped and added. What would
    lose data stops it (NotPreparedError) unless `drop`, and what breaks a rule of lint.py unless that is
    in `accepts`.
    """
    state = prepare()
    if not current_app.config["DEVELOPMENT"]:
        return
    if state is SchemaState.AHEAD:
        raise NotPreparedError(
            "the database has had migrations that this code does not have; go back to the code that has them,"
            " or start over with an empty database: make clean"
        )
    engine = migration_engine()
    with lock(engine), nothing_kept_of_failures() as begun:
        scripts = write_revisions(message, renames, drop, begun)
        if not scripts:
            if renames:
                raise NotPreparedError("there is nothing to rename: change the model first")
            click.echo("The models and the database agree: nothing to migrate.")
            return
        refuse_danger(scripts, renames, accepts, drop)
        apply(engine, scripts)
    for script in scripts:
        show(Path(script.path))


def show(path: Path) -> None:
    """Print a revision."""
    click.echo(f"\nweb/{path.relative_to(Path(current_app.root_path).parent)}\n")
    click.echo(path.read_text(encoding="utf-8"))


@contextmanager
def nothing_kept_of_failures() -> Iterator[set[str]]:
    """Yield a set for ids of revisions, whose files are deleted where they are not to be, or cannot be run.

    Others may have come meanwhile, from an editor or git.
    """
    begun: set[str] = set()
    try:
        yield begun
    except StuckError:
        raise
    except BaseException:
        for path in (folder() / "versions").glob("*.py"):
            found = REVISION.search(path.read_text(encoding="utf-8", errors="replace"))
            if found and found[1] in begun:
                path.unlink()
        raise
    finally:
        known_revisions.cache_clear()


def apply(engine: Engine, scripts: Sequence[Script]) -> None:
    """Apply the revisions in `scripts`: all of them or none."""
    stood = heads(engine)
    try:
        upgrade(engine)
    except BaseException as failure:
        names = " and ".join(Path(script.path).name for script in scripts)
        click.echo(f"{names}: not kept, as it cannot be applied", err=True)
        try:
            take_back(engine, stood)
        except Exception as error:
            why = "What was applied before could not be undone, so the files stay"
            raise StuckError(f"{failure}\n{why}:\n{error}") from error
        raise


def take_back(engine: Engine, stood: Sequence[str]) -> None:
    """Take the database back to where it `stood`; what failed outside a transaction may be there by half."""
    failed = due(engine)
    if failed is not None and is_concurrent(failed):
        stamp(engine, failed.revision)
    if heads(engine) != tuple(stood):
        downgrade(engine, stood[0] if stood else "base")
