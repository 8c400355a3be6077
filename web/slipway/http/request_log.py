"""Log lines on standard output, each with the id of the request that it belongs to."""

import logging
import re
import time
import uuid
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, has_request_context, request

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
PLAIN_PATH = re.compile("[A-Za-z0-9/_.~-]*")  # that quote() leaves as it is
# In the environment of a request.
REQUEST_ID, STARTED = "logs.request_id", "logs.started"
QUIET = ("/healthz", "/readyz")
FIELDS = "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"

log = logging.getLogger("app.request")

# What no line shows is not looked up: https://docs.python.org/3/howto/logging.html#optimization
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def request_id() -> str:
    """Return the id of the current request: X-Request-ID where that is well formed, else a new one."""
    environ = request.environ
    known: str | None = environ.get(REQUEST_ID)
    if known is None:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        environ[REQUEST_ID] = known = given if WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
    return known


class RequestIdFilter(logging.Filter):
    """Gives each record its `request_id`, "-" outside a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id() if has_request_context() else "-"
        return True


def logging_config(form: str, level: str) -> dict[str, Any]:
    """Return the logging configuration for `form` ("json" or "readable"), as dictConfig takes it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}},
        "formatters": {
            "readable": {"format": "%(asctime)s %(levelname)-7s %(request_id)s %(message)s"},
            "json": {
                "()": "pythonjsonlogger.orjson.OrjsonFormatter",
                "format": FIELDS,
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
            },
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": form,
                "filters": ["request_id"],
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {"gunicorn.error": {"propagate": True}, "alembic": {"level": "WARNING"}},
    }


def init_app(app: Flask) -> None:
    """Give each answer its X-Request-ID, and each request a line in the log."""
    app.before_request(start)
    app.after_request(finish)


def start() -> None:
    """Note when the request began."""
    request.environ[STARTED] = time.monotonic()


def finish(response: Response) -> Response:
    """Log the request and put its id into the answer."""
    response.headers["X-Request-ID"] = request_id()
    environ = request.environ
    path = environ["PATH_INFO"]
    if path not in QUIET:
        ms = (time.monotonic() - environ[STARTED]) * 1000
        shown = path if PLAIN_PATH.fullmatch(path) else quote(request.path)
        client = f"{environ.get('REMOTE_ADDR')} by {environ['wsgi.url_scheme']}"
        method, status = environ["REQUEST_METHOD"], response.status_code
        log.info("%s %s %d %.1f ms for %s", method, shown, status, ms, client)
    return response
