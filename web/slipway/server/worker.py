"""gunicorn's threaded worker, with no more connections than the others have.

A connection from nginx stays with the process that accepted it, and chance says which one that is. Where one
has more of them than another, its clients wait longer, while the other now and then has nothing to do. So who
has more than their share close those that they answer on, and nginx opens them anew.
"""

import mmap
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

# https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_headers
NOT_TAKEN = "\r\n".join(
    (
        "HTTP/1.1 400 Bad Request",
        "X-Accel-Redirect: /error/not-taken",
        "Content-Length: 0",
        "Connection: close",
        "\r\n",
    )
).encode()
NOBODY = -1
STOPPING = -2


class Board:
    """How many connections each worker has; processes that are forked share it."""

    def __init__(self, workers: int) -> None:
        self.counts = memoryview(mmap.mmap(-1, 4 * workers)).cast("i")
        for place in range(workers):
            self.counts[place] = NOBODY

    def join(self) -> int | None:
        """Return a place for a worker, None where gunicorn was told to add some and each is taken."""
        place = next((place for place, count in enumerate(self.counts) if count == NOBODY), None)
        if place is not None:
            self.counts[place] = 0
        return place

    def share(self) -> float:
        """Return how many connections a worker has in the mean."""
        counts = [count for count in self.counts if count >= 0]
        return sum(counts) / len(counts) if counts else 0


class Worker(ThreadWorker):
    """A worker that keeps no more connections than its share."""

    board: Board | None = None
    place = 0
    connections = 0
    keeps_alive = 0

    def join(self, board: Board) -> None:
        """Take a place on `board`, if there is one, before the worker is forked."""
        place = board.join()
        if place is not None:
            self.board, self.place = board, place

    def tell(self, count: int) -> None:
        """Have `count` on the board."""
        board = self.board  # which a signal may take away at any moment
        if board is not None:
            board.counts[self.place] = count

    def leave(self) -> None:
        """Leave the place to others, when the worker has ended."""
        self.tell(NOBODY)

    @property
    def nr_conns(self) -> int:
        """How many connections the worker has."""
        return self.connections

    @nr_conns.setter
    def nr_conns(self, number: int) -> None:
        self.connections = number
        self.tell(max(number, 0))  # gunicorn counts one that breaks off amid an answer down twice

    @property
    def max_keepalived(self) -> int:
        """With how many idle connections the worker closes the one that it answers on."""
        board = self.board
        over = board is not None and self.connections > board.share() + 1
        return 0 if over else self.keeps_alive

    @max_keepalived.setter
    def max_keepalived(self, number: int) -> None:
        self.keeps_alive = number

    def handle_error(self, request: Any, client: Any, address: Any, error: Exception) -> None:
        """Have nginx answer, in the form of its own errors, what gunicorn does not take."""
        if isinstance(error, ParseException):
            self.log.warning("not taken: %r", error)
            client.sendall(NOT_TAKEN)
        else:
            super().handle_error(request, client, address, error)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop, and have no share from then on."""
        self.tell(STOPPING)
        self.board = None
        super().handle_exit(sig, frame)
