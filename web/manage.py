"""Runs every flask command: `python manage.py db upgrade`, `python manage.py routes`, …

So does `flask db upgrade` where FLASK_APP names `make`, as in a container of web.
"""

import sys

from flask import Flask
from flask.cli import FlaskGroup
from sqlalchemy.exc import OperationalError

import config
from app import create_app
from slipway import commands
from slipway.environment import ConfigError


def make(settings: config.Config | None = None) -> Flask:
    """Return the app with its commands, by default under the environment's settings (ConfigError)."""
    app = create_app(settings or config.load().for_commands())
    commands.init_app(app)
    return app


def main() -> None:
    """Run the command line; what is wrong with the settings or the database is told briefly."""
    try:
        settings = config.load().for_commands()
    except ConfigError as error:
        sys.exit(str(error))
    try:
        FlaskGroup(create_app=lambda: make(settings), load_dotenv=False).main(prog_name="manage.py")
    except ConfigError as error:
        sys.exit(str(error))
    except OperationalError as error:
        sys.exit(f"the database does not answer: {error.orig}")


if __name__ == "__main__":
    main()
