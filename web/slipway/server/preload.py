"""What the first requests would load, compile and keep, done before gunicorn forks: the workers share it."""

import logging
import time
from contextlib import suppress
from functools import lru_cache

from flask import Flask
from jinja2 import TemplateError
from sqlalchemy.orm import configure_mappers
from werkzeug.test import Client

SECONDS = 2.0  # after which nothing more is asked for


@lru_cache(maxsize=1)
def load_ahead(app: Flask) -> None:
    """Load the templates of `app`, and ask for the lists of its modules, unless that was done."""
    configure_mappers()
    app.url_map.update()
    for name in app.jinja_env.list_templates(extensions=["html"]):
        with suppress(TemplateError):  # which its page will tell
            app.jinja_env.get_template(name)
    ask_for_lists(app)


def ask_for_lists(app: Flask) -> None:
    """Ask for each index, without a line in the log, until one fails: the database may be away."""
    paths = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.endswith(".index") and not rule.arguments and "GET" in (rule.methods or ())
    ]
    client, end = Client(app), time.monotonic() + SECONDS
    logging.disable()
    try:
        for path in paths:
            if time.monotonic() > end or client.get(path).status_code >= 500:
                break
    finally:
        logging.disable(logging.NOTSET)
