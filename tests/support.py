"""What tests of all kinds use: waiting, ports, settings, and the reason why one cannot run."""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

ROOT = Path(__file__).parent.parent


def cannot_run(reason: str) -> NoReturn:
    """Skip the test for `reason`; in CI, where nothing is skipped, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(check: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Return the first true answer of `check`, asked until then for `seconds` at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := check():
            return answer
        time.sleep(0.05)
    pytest.fail(f"waited {seconds:.0f} s in vain: {what}")


def production_settings(port: int) -> dict[str, str]:
    """Return the .env of a production on `port` of 127.0.0.1."""
    return {
        "APP_SETTINGS": "config.ProductionConfig",
        "COMPOSE_PROFILES": "db",
        "CSRF_SESSION_KEY": secrets.token_urlsafe(32),
        "HTTP_BIND": "127.0.0.1",
        "HTTP_PORT": str(port),
        "POSTGRES_PASSWORD": "these @ / : %41 $x # characters are trouble",
        "SECRET_KEY": secrets.token_urlsafe(32),
    }


def write_settings(path: Path, settings: dict[str, str]) -> None:
    """Write a .env in which each value is taken literally."""
    path.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))


@contextmanager
def writing_notes(url: str) -> Iterator[list[int]]:
    """Create notes without pause, and yield the ids of those that were acknowledged."""
    acknowledged: list[int] = []
    stop = threading.Event()

    def write() -> None:
        with httpx.Client(base_url=url, timeout=20) as client:
            while not stop.is_set():
                try:
                    answer = client.post("/api/notes", json={"title": "must not be lost"})
                except httpx.TransportError:
                    continue
                if answer.status_code == 201:
                    acknowledged.append(answer.json()["id"])

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        stop.set()
        for thread in threads:
            thread.join()
