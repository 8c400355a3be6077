"""What tests of all kinds use: waiting, raw requests, and the reason why one cannot run."""

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

ROOT = Path(__file__).parent.parent

# Seconds after which nothing is waited for any longer; the slowest step takes a tenth of it.
PATIENCE = 600

# Seconds between two requests of a client that repeats them, who is not to keep a core busy.
PAUSE = 0.02


# Requests of a client that waits as long as it takes.
get, post, request = (partial(ask, timeout=PATIENCE) for ask in (httpx.get, httpx.post, httpx.request))


def is_served(url: str) -> bool:
    """Tell whether a GET of `url` is answered by a 200."""
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def cannot_run(reason: str) -> NoReturn:
    """Skip the test for `reason`; in CI, where nothing is skipped, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def wait_until(check: Callable[[], Any], what: str) -> Any:
    """Return the first true answer of `check`, asked until then for PATIENCE at most."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := check():
            return answer
        time.sleep(0.02)
    pytest.fail(f"waited {PATIENCE} s in vain: {what}")


def send_raw(url: str, data: bytes, whole_connection: bool = False) -> bytes:
    """Send bytes as they are; return the answer, b"" where the connection was closed without one.

    With `whole_connection`, all that comes until the connection is closed. What exceeds PATIENCE fails.
    """
    deadline = time.monotonic() + PATIENCE
    with connect(url) as connection:
        # The server may answer, and close, before all is sent.
        with suppress(ConnectionError):
            connection.sendall(data)
        answer = b""
        with suppress(ConnectionResetError):
            while (whole_connection or not is_whole(answer)) and (part := connection.recv(65536)):
                answer += part
                if time.monotonic() > deadline:
                    raise TimeoutError
    return answer


def connect(url: str) -> socket.socket:
    """Return a connection to the server of `url`; what takes longer than PATIENCE fails."""
    parts = httpx.URL(url)
    return socket.create_connection((parts.host, parts.port or 80), timeout=PATIENCE)


def is_whole(answer: bytes) -> bool:
    """Tell whether an answer has come as far as its Content-Length says."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)^content-length: (\d+)\r?$", head, re.MULTILINE)
    return bool(end and length and len(body) >= int(length[1]))


def assert_problem(answer: httpx.Response, status: int) -> None:
    """Assert that `answer` is a problem document with its request's id."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["request_id"] == answer.headers["X-Request-ID"]
    assert {"type", "title", "detail"} <= set(document)


@contextmanager
def repeating(work: Callable[[httpx.Client], None], url: str, clients: int = 4) -> Iterator[None]:
    """Do `work` with a server again and again, by so many clients; an answer that does not come is none."""
    stop = threading.Event()

    def repeat() -> None:
        with httpx.Client(base_url=url, timeout=PATIENCE) as client:
            while not stop.wait(PAUSE):
                with suppress(httpx.TransportError):
                    work(client)

    threads = [threading.Thread(target=repeat) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def writing_notes(url: str, clients: int = 4) -> Iterator[list[int]]:
    """Create notes again and again, and yield the ids of those that were acknowledged."""
    acknowledged: list[int] = []

    def write(client: httpx.Client) -> None:
        answer = client.post("/api/notes", json={"title": "must not be lost"})
        if answer.status_code == 201:
            acknowledged.append(answer.json()["id"])

    with repeating(write, url, clients):
        yield acknowledged


@contextmanager
def reading_notes(url: str, clients: int = 4) -> Iterator[list[tuple[float, int]]]:
    """Read notes again and again, and yield when each request began, and its status; 0 where none came."""
    answers: list[tuple[float, int]] = []

    def read(client: httpx.Client) -> None:
        began, status = time.monotonic(), 0
        try:
            status = client.get("/api/notes").status_code
        finally:
            answers.append((began, status))

    with repeating(read, url, clients):
        yield answers
