"""gunicorn's processes have about as many connections each, whoever accepted them."""

import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path

import psutil
import pytest

from slipway.server.worker import NOBODY, STOPPING, Board, Worker
from tests.support import PATIENCE, ROOT, wait_until

CLIENTS = 30
ROUNDS = 400  # at most, until they are balanced
NEAR = 3  # connections
NOWHERE = "postgresql://nobody@localhost/nothing"
APP = """
import os

def app(environ, start_response):
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.fixture
def gunicorn(tmp_path: Path, settings: Callable[[str], dict[str, str]]) -> Iterator[psutil.Popen]:
    """gunicorn with web's settings and two workers, which answer with their process ids."""
    (tmp_path / "told.py").write_text(APP)
    own = {
        "WEB_BIND": f"unix:{tmp_path}/web.sock",
        "WEB_WORKERS": "2",
        "APP_SETTINGS": "config.TestingConfig",
    }
    where = ["--config", str(ROOT / "web/gunicorn.conf.py"), "--chdir", str(tmp_path)]
    server = psutil.Popen(
        [sys.executable, "-m", "gunicorn", *where, "told:app"], env=os.environ | settings(NOWHERE) | own
    )
    yield server
    server.terminate()
    server.wait(PATIENCE)


class Client:
    """A client that keeps its connection for as long as the server does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection: socket.socket | None = None
        self.served_by = 0

    def ask(self) -> None:
        """Note which process answers."""
        if self.connection is None:
            self.connection = socket.socket(socket.AF_UNIX)
            self.connection.connect(str(self.path))
        self.connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = HTTPResponse(self.connection)
        answer.begin()
        self.served_by = int(answer.read())
        if answer.getheader("Connection") == "close":
            self.hang_up()

    def hang_up(self) -> None:
        """Close the connection, if there is one."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def workers(gunicorn: psutil.Popen) -> list[psutil.Process]:
    """Return the two workers, as soon as both are there."""
    wait_until(lambda: len(gunicorn.children()) == 2, "two workers")
    return list(gunicorn.children())


def balance(clients: list[Client]) -> None:
    """Have each client ask, over and over, until both processes have about as many of them."""
    for _ in range(ROUNDS):
        for client in clients:
            client.ask()
        served = Counter(client.served_by for client in clients)
        if len(served) == 2 and max(served.values()) - min(served.values()) <= NEAR:
            assert any(client.connection for client in clients)  # is kept
            return
    pytest.fail(f"not balanced: {served}")


@contextmanager
def clients_of(worker: psutil.Process, other: psutil.Process, path: Path) -> Iterator[list[Client]]:
    """Yield clients whose connections `worker` has accepted, as the other one stood still."""
    other.send_signal(signal.SIGSTOP)
    clients = [Client(path) for _ in range(CLIENTS)]
    for client in clients:
        client.ask()
    other.send_signal(signal.SIGCONT)
    assert {client.served_by for client in clients} == {worker.pid}
    try:
        yield clients
    finally:
        for client in clients:
            client.hang_up()


def test_connections_are_shared_out(gunicorn: psutil.Popen, tmp_path: Path) -> None:
    one, other = workers(gunicorn)
    with clients_of(one, other, tmp_path / "web.sock") as clients:
        balance(clients)


def test_worker_that_comes_for_another_has_its_share(gunicorn: psutil.Popen, tmp_path: Path) -> None:
    old, killed = workers(gunicorn)
    with clients_of(killed, old, tmp_path / "web.sock"):
        killed.kill()
    wait_until(lambda: killed not in gunicorn.children(), "the worker to be gone")
    [new] = {*workers(gunicorn)} - {old}
    with clients_of(old, new, tmp_path / "web.sock") as clients:
        balance(clients)


def test_worker_that_stops_has_no_share(gunicorn: psutil.Popen, tmp_path: Path) -> None:
    one, other = workers(gunicorn)
    with clients_of(other, one, tmp_path / "web.sock") as clients:
        gunicorn.send_signal(signal.SIGTTOU)
        one.wait(PATIENCE)
        for client in clients:
            client.ask()
        assert all(client.connection for client in clients)


def test_worker_beyond_those_that_were_set_has_no_place() -> None:
    board = Board(1)
    assert board.join() == 0
    assert board.join() is None


def test_share_is_that_of_those_who_are_there() -> None:
    board = Board(4)
    for place, count in enumerate((6, 3, STOPPING)):
        assert board.join() == place
        board.counts[place] = count
    assert board.counts[3] == NOBODY
    assert board.share() == 4.5


def test_worker_that_has_lost_count_is_still_there() -> None:
    worker = object.__new__(Worker)
    worker.join(board := Board(1))
    worker.nr_conns = -1  # as gunicorn reckons after an answer that breaks off
    assert board.join() is None


def test_worker_that_has_ended_leaves_its_place() -> None:
    worker = object.__new__(Worker)
    worker.join(board := Board(1))
    worker.leave()
    assert board.join() == 0
