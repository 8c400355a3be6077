"""Runs every flask command: `python manage.py db upgrade`, `python manage.py routes`, …"""

import sys

from flask.cli import FlaskGroup

import config
from app import create_app


def main() -> None:
    """Run the command line; what is wrong in the settings is told in one line."""
    try:
        settings = config.load()
    except config.ConfigError as error:
        sys.exit(str(error))
    FlaskGroup(create_app=lambda: create_app(settings), load_dotenv=False).main(prog_name="manage.py")


if __name__ == "__main__":
    main()
