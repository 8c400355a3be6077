"""The commands that this app adds to Flask-Migrate's group `db`: prepare, evolve and doctor."""

import logging.config
import re
import sys
from collections.abc import Callable

import click
from alembic.util import CommandError
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate.cli import db as group

import logs

from .checkup import faults
from .evolve import evolve
from .prepare import NotPreparedError, prepare


def init_app(app: Flask) -> None:
    """Add the commands to the app's `db` group."""
    group.add_command(prepare_command)
    group.add_command(evolve_command)
    group.add_command(doctor_command)


def run(work: Callable[[], object]) -> None:
    """Do `work` with its log on the screen; what stands in the way becomes the command's error."""
    logging.config.dictConfig(logs.logging_config(current_app.config["LOG_FORMAT"], "INFO"))
    try:
        work()
    except (NotPreparedError, CommandError) as error:
        raise click.ClickException(str(error)) from error


@click.command("prepare")
@with_appcontext
def prepare_command() -> None:
    """Wait for the database and bring it to the newest migration."""
    run(prepare)


@click.command("evolve")
@click.option("-m", "--message", help="What the revision is about; by default what it does.")
@click.option("--rename", metavar="OLD:NEW,…", help="Columns that get another name and keep their data.")
@click.option("--drop", is_flag=True, help="Let columns and tables be dropped, with their data.")
@with_appcontext
def evolve_command(message: str | None, rename: str | None, drop: bool) -> None:
    """Write a revision where the models differ from the database, and apply it."""
    renames = re.findall(r"(\w+):(\w+)", rename or "")
    if ",".join(map(":".join, renames)) != (rename or ""):
        raise click.ClickException(f"rename={rename}: say rename=old:new, or rename=old:new,old2:new2")
    run(lambda: evolve(message or None, renames, drop=drop))


@click.command("doctor")
@with_appcontext
def doctor_command() -> None:
    """Tell what is wrong with the database; the exit status is 1 where something is."""
    found = list(faults())
    for fault in found:
        click.echo(f"doctor: {fault}")
    sys.exit(bool(found))
