"""What gunicorn calls as its workers come and go: https://docs.gunicorn.org/en/stable/settings.html#server-hooks"""

import gc
import os
import signal
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger

from .worker import Board

WEB = Path(__file__).parents[2]
SOURCES = ("*.py", "app/**/*.py", "slipway/**/*.py", "migrations/versions/*.py")


class Logger(GunicornLogger):
    """gunicorn's log without a line for each request, which nginx and the app write."""

    def access(self, *_: Any) -> None:
        """Write nothing, and so put nothing together."""


@cache
def board_of(workers: int) -> Board:
    """Return the board of so many workers, and as many again: gunicorn may be told to add some (TTIN)."""
    return Board(2 * workers)


def pre_fork(server: Any, worker: Any) -> None:
    """Leave what is loaded to be shared: no worker's garbage collector looks at it, and so copies its pages.

    A connection that was opened while loading is not shared.
    """
    worker.join(board_of(server.cfg.workers))
    app: Any = server.app.wsgi() if server.cfg.preload_app else None
    if hasattr(app, "app_context"):
        from .preload import load_ahead

        load_ahead(app)
        with app.app_context():
            for engine in app.extensions["sqlalchemy"].engines.values():
                engine.dispose()
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Leave the place of a worker to the next."""
    worker.leave()


def post_fork(server: Any, worker: Any) -> None:
    """Note what a worker that is to reload is about to load."""
    worker.source = changes()


def post_worker_init(worker: Any) -> None:
    """Look out for changes of it."""
    threading.Thread(target=watch, args=[worker], daemon=True).start()


def changes() -> dict[Path, float]:
    """Return when each source file was changed."""
    times = {}
    for path in [path for pattern in SOURCES for path in WEB.glob(pattern)]:
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
