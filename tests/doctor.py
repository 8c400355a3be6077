"""`make doctor`, typed in a checkout in which a fault is planted."""

import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.checkouts import Checkout
from tests.copies import free_port

Edit = Callable[[str, str, str], None]


@pytest.fixture(scope="module")
def settled(clone: Callable[[str], Checkout], checkout: Checkout) -> tuple[Checkout, str]:
    """A checkout that is not up, and its .env."""
    resting = clone("resting")
    del resting.environment["HTTP_PORT"]
    settings = (checkout.path / ".env").read_text()
    settings = re.sub("(?m)^(COMPOSE_PROJECT_NAME=.*)", r"\1-resting", settings)
    return resting, re.sub("(?m)^HTTP_PORT=.*", f"HTTP_PORT={free_port()}", settings)


@pytest.fixture
def resting(settled: tuple[Checkout, str]) -> Checkout:
    """A checkout that is not up, with settings that are well."""
    checkout, settings = settled
    (checkout.path / ".env").unlink(missing_ok=True)
    (checkout.path / ".env").touch(0o600)
    (checkout.path / ".env").write_text(settings)
    return checkout


@pytest.fixture
def stranger() -> Iterator[int]:
    """A port on which a process that is not ours listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def doctor(checkout: Checkout, *variables: str, user: int | None = None, **environment: str) -> list[str]:
    """Return what `make doctor` finds."""
    run = checkout.try_make("doctor", *variables, user=user, **environment)
    found = re.findall(r"^make doctor: (.*)$", run.stdout, re.MULTILINE)
    assert (run.returncode != 0) == bool(found), run.stdout
    assert bool(found) != ("==> All is well" in run.stdout)
    return found


def plant(checkout: Checkout, *faults: tuple[str, str]) -> None:
    """Replace texts in .env."""
    text = (checkout.path / ".env").read_text()
    for old, new in faults:
        assert old in text
        text = text.replace(old, new, 1)
    (checkout.path / ".env").write_text(text)


def stand_in(folder: Path, name: str, script: str) -> str:
    """Put a program before the real one, which it has as "$REAL"; return the PATH that has it."""
    real = shutil.which(name)
    (folder / name).write_text(f"#!/bin/bash\nREAL={real}\n{script}\n")
    (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"
