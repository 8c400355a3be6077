"""The first `make up`, from a machine with Python and make alone."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.checkouts import Checkout
from tests.copies import free_port
from tests.engines import listening
from tests.releases import Typed
from tests.support import wait_until

NO_DOCKER = "unix:///nowhere.sock"


@pytest.fixture
def bare(clone: Callable[[str], Checkout]) -> Iterator[Checkout]:
    """A checkout without a virtualenv, on a machine where no Docker engine answers."""
    bare = clone("a bare checkout")
    (bare.path / "venv").unlink()
    bare.environment["DOCKER_HOST"] = NO_DOCKER
    del bare.environment["ENGINE"]
    yield bare
    if (bare.path / "venv" / "path").exists():
        bare.make("clean", "sure=yes")


def stop_at(checkout: Checkout, step: str) -> str:
    """Type `make up`, and cut its power at a step; return what was on the screen."""
    with Typed(checkout, "up") as up:
        up.await_step(step)
        up.interrupt(signal.SIGKILL)
    return up.screen


def test_first_up_that_is_interrupted_is_begun_again(bare: Checkout) -> None:
    """Its packages are not installed to the end here: .ci/run does that."""
    first = stop_at(bare, "Making the virtualenv")
    assert "ENGINE=native, as no Docker engine answers here; the other is ENGINE=docker" in first
    assert bare.setting("ENGINE") == "native"
    for _ in range(2):
        assert "Making the virtualenv" in stop_at(bare, "Installing")


def test_first_database_that_was_interrupted_is_begun_again(other: Checkout) -> None:
    for step in ("Making the database", "Migrating"):
        stop_at(other, step)
    assert "Ready: " in other.make("up")


def test_index_that_cannot_be_reached_is_told(bare: Checkout) -> None:
    run = bare.try_make("up", PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_NO_CACHE_DIR="1")
    assert run.returncode != 0
    assert "make up: the package index cannot be reached; go online once, or name yours" in run.stdout


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP; yield its URL."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listening(port), "the index to be served")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def test_missing_wheel_is_told(bare: Checkout, tmp_path: Path) -> None:
    with served(tmp_path) as url:
        run = bare.try_make("up", PIP_INDEX_URL=url, PIP_NO_CACHE_DIR="1", PIP_FIND_LINKS="")
    assert run.returncode != 0
    assert re.search(r"make up: there is no wheel of \S+ for \S+ \S+ with Python 3", run.stdout)


@pytest.mark.parametrize(
    ("stand_in", "line"),
    [
        (
            'case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac',
            "venv module; Python 3.9.2",
        ),
        (
            'case "$*" in *ensurepip*) exit 1 ;; *) exec "$REAL" "$@" ;; esac',
            "lacks its venv module",
        ),
    ],
)
def test_python_that_does_not_do_is_told(bare: Checkout, tmp_path: Path, stand_in: str, line: str) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{stand_in}\n")
        (tmp_path / name).chmod(0o755)
    run = bare.try_make("up", PATH=f"{tmp_path}:{bare.environment['PATH']}", REAL=sys.executable)
    assert run.returncode != 0
    [told] = [told for told in run.stdout.splitlines() if told.startswith("make up: ")]
    assert told.startswith("make up: needs Python 3.11 to 3.14")
    assert line in told
