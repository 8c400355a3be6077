"""Clients that stall, and those that do nothing: they end, and do not keep others waiting."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from tests.engines import Stack
from tests.support import connect, get, post, wait_until

HEAD = b"POST /api/notes HTTP/1.1\r\nHost: localhost\r\n"
BODY = HEAD + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
STALLS = {
    "nothing": b"",
    "half a request line": b"POST /api/no",
    "half the headers": HEAD,
    "half a header": HEAD + b"Content-Le",
    "no body": BODY,
    "half a body": BODY + b'{"title": "',
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\nabc",
}
# No more at once: Docker's proxy of the loopback holds some six files for each, and ends at 20,000.
IDLE, BEGUN, READERS, FLEETING = 2000, 400, 12, 3000


@pytest.fixture
def connections(stack: Stack) -> Iterator[Callable[[], socket.socket]]:
    """Return a function that connects; all is closed in the end."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(connect(stack.url))


def outcome(connection: socket.socket) -> str:
    """Return the status of what comes on `connection` until it is closed, "closed" where nothing does."""
    answer = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            answer += part
    return answer[9:12].decode() or "closed"


def drip(connection: socket.socket) -> str:
    """Send a header that has no end; return what `outcome` does."""
    connection.sendall(HEAD)
    with suppress(ConnectionError, TimeoutError):
        for _ in range(100):
            connection.sendall(b"x")
            connection.settimeout(0.2)
            with suppress(TimeoutError):
                if not connection.recv(1):
                    return "closed"
        return "served on"
    return "closed"


def test_client_that_stalls_is_let_go(
    connections: Callable[[], socket.socket], hold_row: Callable[..., None]
) -> None:
    opened = []
    for part in STALLS.values():
        opened.append(connections())
        opened[-1].sendall(part)
    with ThreadPoolExecutor(len(opened) + 1) as threads:
        dripping = threads.submit(drip, connections())
        outcomes = {*threads.map(outcome, opened), dripping.result()}
    hold_row("Clients that stall, or drip", len(STALLS) + 1, ", ".join(sorted(outcomes)))


def test_idle_connections_keep_nobody_out(
    stack: Stack, connections: Callable[[], socket.socket], hold_row: Callable[..., None]
) -> None:
    for number in range(IDLE + BEGUN):
        connection = connections()
        if number < BEGUN:
            connection.sendall(HEAD)
    answers = {get(f"{stack.url}/api/notes").status_code for _ in range(20)}
    hold_row(
        "Idle connections, and requests begun",
        f"{IDLE}, {BEGUN}",
        ", ".join(map(str, answers)) + " beside them",
    )


@pytest.fixture
def large_list(stack: Stack) -> Iterator[str]:
    """The path of a list of some megabytes."""
    body = "\N{LATIN SMALL LETTER E WITH ACUTE}" * 50_000  # six bytes each in the answer
    made = [stack.http.post("/api/notes", json={"title": "large", "body": body}) for _ in range(60)]
    yield "/api/notes?limit=60"
    for answer in made:
        stack.http.delete(answer.headers["Location"])


def test_client_that_does_not_read_keeps_nobody_waiting(
    stack: Stack, large_list: str, connections: Callable[[], socket.socket], hold_row: Callable[..., None]
) -> None:
    for number in range(READERS):
        connection = connections()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(
            f"GET {large_list} HTTP/1.1\r\nHost: localhost\r\n"
            f"X-Request-ID: reader-{number:02}\r\n\r\n".encode()
        )
    body = {"title": "beside", "body": "x" * 50_000}  # so long that nginx puts it aside as well
    made = [post(f"{stack.url}/api/notes", json=body)]
    assert stack.logs("nginx").count('"request_id":"reader-') < READERS  # some are still being answered
    made += [post(f"{stack.url}/api/notes", json=body) for _ in range(19)]
    assert {answer.status_code for answer in made} == {201}
    for answer in made:
        stack.http.delete(answer.headers["Location"])
    hold_row("Clients that do not read 18 MB", READERS, "others are answered")


def test_clients_that_hang_up_leave_no_queue(stack: Stack, hold_row: Callable[..., None]) -> None:
    for _ in range(FLEETING):
        with connect(stack.url) as connection:
            connection.sendall(b"GET /api/notes HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_until(lambda: all(stack.is_ready() for _ in range(50)), "the stack to be as before")
    assert "temporarily unavailable" not in stack.logs("nginx")
    hold_row("Clients that hang up", FLEETING, "others are answered")
