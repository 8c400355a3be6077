"""What is no load: the last page of a million records, memory, and how long `make up` takes."""

import http.client
import time
from collections.abc import Callable
from statistics import median

import psutil

from slipway.api.pagination import cursor

from .database import Database
from .ratios import Figure, spread
from .stack import Stack
from .tell import Failure
from .works import WORKERS, WORKS
from .wrk import load

PAIRS = 200  # of requests, in a round
MEGABYTE = 1e6
NEWEST_FIRST = "-id"


def last_page(stack: Stack, database: Database, rounds: int, seconds: int) -> list[Figure]:
    """Return by how much the last page of a million notes takes longer than the first (Failure)."""
    database.fill()
    last = f"/api/notes?after={cursor(NEWEST_FIRST, None, database.second_page_from_end())}"
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=20)
    for path in ("/api/notes", last) * 50:
        ask(connection, path)
    return [spread("", [compare(connection, last) for _ in range(rounds)])]


def compare(connection: http.client.HTTPConnection, last: str) -> float:
    """Return the last page's median time as a multiple of the first's, asked for in turns."""
    pairs = [(ask(connection, last), ask(connection, "/api/notes")) for _ in range(PAIRS)]
    return median(pair[0] for pair in pairs) / median(pair[1] for pair in pairs)


def ask(connection: http.client.HTTPConnection, path: str) -> float:
    """Return the seconds that a page takes (Failure)."""
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise Failure(f"GET {path}: status {answer.status}")
    return time.perf_counter() - began


def memory(stack: Stack, database: Database, rounds: int, seconds: int) -> list[Figure]:
    """Return the MB that web takes after a load, what is shared counted once; nothing on macOS."""
    if not psutil.LINUX:
        return []
    stack.make("up", WEB_WORKERS=str(WORKERS))
    for name in ("list", "auth-list", "page"):
        load(stack.url, WORKS[name].ours, 16, seconds)
    processes = [stack.web, *stack.web.children(recursive=True)]
    used = sum(process.memory_full_info().pss for process in processes) / MEGABYTE
    stack.make("up")
    return [spread("", [used])]


def start(stack: Stack, database: Database, rounds: int, seconds: int) -> list[Figure]:
    """Return how many seconds `make up` takes from stopped, where packages and data are there."""
    times = []
    for _ in range(3):
        stack.make("down")
        times.append(stack.make("up"))
    return [spread("", times)]


# Starting comes before there is a million of anything.
EXTRAS: dict[str, Callable[[Stack, Database, int, int], list[Figure]]] = {
    "memory": memory,
    "up": start,
    "last": last_page,
}
