"""gunicorn's settings: https://docs.gunicorn.org/en/stable/settings.html"""

import gc
import os
import re
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import gunicorn.glogging
import gunicorn.http.message

here = Path(__file__).parent
sys.path.insert(0, str(here))
for name in ("balance", "config", "cores", "logs"):
    sys.modules.pop(name, None)  # what was there before a reload

from balance import Board, Worker  # noqa: E402 # found by the path that is set above
from config import load  # noqa: E402 # likewise
from logs import logging_config  # noqa: E402 # likewise

settings = load()

bind = os.environ.get("WEB_BIND", "0.0.0.0:8000")
worker_class = Worker
workers = settings.WEB_WORKERS
board = Board(2 * workers)  # gunicorn may be told to add some (TTIN)
threads = settings.WEB_THREADS

# Longer than nginx keeps an idle connection (30 s), so that it is never gunicorn who closes one
# that nginx is about to send a request on. A worker that reloads would wait for its idle connections.
keepalive = 0 if settings.DEVELOPMENT else 75
# Longer than a statement may take (config.py), shorter than nginx waits (nginx/snippets/timeouts.conf).
timeout = 30
graceful_timeout = 30

# Code that is loaded before the fork is shared between the workers, but cannot be reloaded.
preload_app = not settings.DEVELOPMENT

# How long a line, how many headers and which methods: nginx and the app say, in the contract's form.
limit_request_line = 0
limit_request_fields = 32768
limit_request_field_size = 0
permit_unconventional_http_method = True

# Likewise of control characters in the value of a header, which gunicorn would answer with a page of its own.
gunicorn.http.message.RFC9110_5_5_INVALID_AND_DANGEROUS = re.compile("[\0\r\n]")

# nginx's X-Forwarded-* headers are read by the app (werkzeug's ProxyFix), not by gunicorn.
forwarded_allow_ips = ""


class Logger(gunicorn.glogging.Logger):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's log without a line for each request, which nginx and the app write."""

    def access(self, *_: Any) -> None:
        """Write nothing, and so put nothing together."""


logger_class = Logger
logconfig_dict = logging_config(settings.LOG_FORMAT, settings.LOG_LEVEL)
control_socket_disable = True
# The workers' heartbeats are files, and a busy disk must not stop them.
shm = Path("/dev/shm")  # noqa: S108 # gunicorn makes its files there safely
worker_tmp_dir = str(shm) if shm.is_dir() else None


def changes() -> dict[Path, float]:
    """Return when each source file was changed."""
    times = {}
    for path in [*here.glob("*.py"), *here.glob("app/**/*.py"), *here.glob("migrations/versions/*.py")]:
        with suppress(FileNotFoundError):  # an editor may put a new file in its place at this moment
            times[path] = path.stat().st_mtime
    return times


def watch(worker: Any) -> None:
    """Have gunicorn reload once the source is not what `worker` was to load.

    gunicorn's own `reload` looks from when a worker has loaded, and so misses what is saved in the meantime.
    """
    while worker.source == changes():
        time.sleep(0.5)
    worker.log.info("the source was changed: reloading")
    os.kill(os.getppid(), signal.SIGHUP)


def pre_fork(server: Any, worker: Any) -> None:
    """Leave what is loaded to be shared: no worker's garbage collector looks at it, and so copies its pages.

    A connection that was opened while loading is not shared.
    """
    worker.join(board)
    app: Any = server.app.wsgi() if preload_app else None
    if hasattr(app, "app_context"):
        from app.ahead import load_ahead

        load_ahead(app)
        with app.app_context():
            for engine in app.extensions["sqlalchemy"].engines.values():
                engine.dispose()
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Leave the place of a worker to the next."""
    worker.leave()


if settings.DEVELOPMENT:

    def post_fork(server: Any, worker: Any) -> None:
        """Note what the worker is about to load."""
        worker.source = changes()

    def post_worker_init(worker: Any) -> None:
        """Look out for changes of it."""
        threading.Thread(target=watch, args=[worker], daemon=True).start()
