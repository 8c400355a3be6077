"""The commands that this app adds to Flask-Migrate's group `db`.

None of it is loaded by a web that serves, which does without Alembic, and what writes and looks through
revisions is loaded by those commands alone.
"""

import logging.config
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
from alembic.util import CommandError
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import Migrate
from flask_migrate.cli import db as group

from .db.models import db
from .doctor import faults
from .http import request_log
from .migrations.state import NotPreparedError, SchemaState, folder, known_revisions
from .migrations.upgrade import prepare

Result = TypeVar("Result")

migrate = Migrate()


def init_app(app: Flask) -> None:
    """Give `app` Flask-Migrate, and the commands to its group `db`."""
    migrate.init_app(app, db, directory=str(Path(app.root_path).parent / "migrations"))
    for command in (
        prepare_command,
        evolve_command,
        newest_command,
        known_command,
        suits_command,
        stepback_command,
        revisions_command,
        lint_command,
        doctor_command,
    ):
        group.add_command(command)


def run(work: Callable[[], Result]) -> Result:
    """Do `work` with its log on the screen; what stands in the way becomes the command's error."""
    logging.config.dictConfig(request_log.logging_config(current_app.config["LOG_FORMAT"], "INFO"))
    return tell(work)


def tell(work: Callable[[], Result]) -> Result:
    """Do `work`, and return what comes of it; what stands in the way becomes the command's error."""
    try:
        return work()
    except (NotPreparedError, CommandError) as error:
        raise click.ClickException(str(error)) from error


@click.command("prepare")
@click.option("--beside", is_flag=True, help="Refuse what the web that serves meanwhile would fail on.")
@click.option("--ahead-fails", is_flag=True, help="Exit with 3 where the schema is newer than this code.")
@with_appcontext
def prepare_command(beside: bool, ahead_fails: bool) -> None:
    """Wait for the database and bring it to the newest migration."""
    state = run(lambda: prepare(beside=beside))
    if ahead_fails and state is SchemaState.AHEAD:
        sys.exit(3)


@click.command("evolve")
@click.option("-m", "--message", help="What the revision is about; by default what it does.")
@click.option("--rename", metavar="OLD:NEW,…", help="Columns that get another name and keep their data.")
@click.option("--drop", is_flag=True, help="Let columns and tables be dropped, with their data.")
@click.option("--accept", metavar="RULE,…", help="What may be done to a table that may be big and in use.")
@with_appcontext
def evolve_command(message: str | None, rename: str | None, drop: bool, accept: str | None) -> None:
    """Write revisions where the models differ from the database, and apply them."""
    from .migrations.autogenerate import lint
    from .migrations.autogenerate.command import evolve

    renames = re.findall(r"(\w+):(\w+)", rename or "")
    if ",".join(map(":".join, renames)) != (rename or ""):
        raise click.ClickException(f"rename={rename}: say rename=old:new, or rename=old:new,old2:new2")
    accepts = [rule for rule in (accept or "").split(",") if rule]
    rules = ", ".join(lint.RULES)
    for rule in set(accepts) - set(lint.RULES):
        raise click.ClickException(f"accept={rule}: there is no such rule; there are {rules}")
    run(lambda: evolve(message or None, renames, accepts, drop=drop))


@click.command("newest")
@with_appcontext
def newest_command() -> None:
    """Print the name of the migration that `db stepback` would undo."""
    from .migrations import history

    tell(lambda: click.echo(Path(history.newest(history.connected()).path).name))


@click.command("known")
@with_appcontext
def known_command() -> None:
    """Print the newest migrations of this code, one a line; no database is asked."""
    for revision in sorted(tell(lambda: known_revisions(folder())[0])):
        click.echo(revision)


@click.command("suits")
@click.argument("revisions", nargs=-1, required=True, metavar="REVISION...")
@with_appcontext
def suits_command(revisions: tuple[str, ...]) -> None:
    """Tell whether older code, which ends with REVISION..., can run on the schema that there is.

    The exit status is 3 where it cannot, and another where this code cannot tell.
    """
    from .migrations.compatibility import UnsuitedError, refuse_unsuited

    try:
        tell(lambda: refuse_unsuited(revisions))
    except UnsuitedError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(3)


@click.command("stepback")
@with_appcontext
def stepback_command() -> None:
    """Undo the newest migration that the database has had."""
    from .migrations import history

    def work() -> None:
        name = history.stepback()
        click.echo(
            f"Undone: web/migrations/versions/{name}. Delete or change that file, and type make migrate;"
            " make up applies it again."
        )

    run(work)


@click.command("revisions")
@with_appcontext
def revisions_command() -> None:
    """List the migrations, oldest first, and where the database stands."""
    from .migrations import history

    tell(lambda: click.echo("\n".join(history.revisions())))


@click.command("lint")
@with_appcontext
def lint_command() -> None:
    """Tell what in the migrations would hurt a big, live table; the exit status tells whether any."""
    from .migrations.autogenerate import lint

    found = tell(lambda: list(lint.lint()))
    for line in found:
        click.echo(line)
    sys.exit(bool(found))


@click.command("doctor")
@with_appcontext
def doctor_command() -> None:
    """Tell what is wrong with the database; the exit status is 1 where something is."""
    found = list(faults())
    for fault in found:
        click.echo(f"doctor: {fault}")
    sys.exit(bool(found))
