"""The app: `create_app` makes one, with the modules of `MODULES` mounted."""

from flask import Flask

import config
import slipway

# Each is a folder here. A module is mounted by its line.
MODULES = [
    "home",
    "notes",
    "gauth",
]


def create_app(settings: config.Config | None = None) -> Flask:
    """Return an app under `settings`, by default those that APP_SETTINGS names (ConfigError)."""
    return slipway.make_app(__name__, settings or config.load(), MODULES)
