"""Makes the app: gunicorn loads `run:app`, and `python run.py` serves it on PORT by Flask's own server."""

import logging.config
import os
import sys
import traceback
from typing import TYPE_CHECKING

from werkzeug import Response
from werkzeug.serving import run_simple

import config
from slipway.environment import ConfigError, integer
from slipway.http.request_log import logging_config

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def make(settings: config.Config) -> "WSGIApplication":
    """Return the app; in development, where it cannot be made, a page that says why, until the next edit."""
    try:
        from app import create_app

        return create_app(settings)
    except Exception:
        if not settings.DEVELOPMENT:
            raise
        logging.getLogger("run").exception("the app cannot be made")
        return Response(traceback.format_exc(), 500, mimetype="text/plain")


try:
    settings = config.load()
    port = integer(os.environ, "PORT", 5000)
except ConfigError as error:
    sys.exit(str(error))
app = make(settings)

if __name__ == "__main__":
    logging.config.dictConfig(logging_config(settings.LOG_FORMAT, settings.LOG_LEVEL))
    run_simple("127.0.0.1", port, app, use_reloader=settings.DEVELOPMENT)
