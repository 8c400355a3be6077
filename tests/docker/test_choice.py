"""Which engine the first `make up` takes, and what it says where Docker does not do."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.checkouts import OWNER, Checkout


def test_docker_is_taken_where_it_answers(clone: Callable[[str], Checkout]) -> None:
    new = clone("new")
    del new.environment["ENGINE"]
    screen = new.try_make("up", HTTP_BIND="wrong").stdout
    assert "ENGINE=docker, as a Docker engine answers; the other is ENGINE=native" in screen
    assert new.setting("ENGINE") == "docker"


def test_image_that_cannot_be_pulled_is_told_before_anything_is_written(
    clone: Callable[[str], Checkout],
) -> None:
    new = clone("new")
    run = new.try_make("up", PYTHON_IMAGE="localhost:1/nowhere")
    assert run.returncode != 0
    assert "make up: cannot pull localhost:1/nowhere; name a mirror, here and then in .env" in run.stdout
    assert "or type make up ENGINE=native, which needs no images" in run.stdout
    assert not (new.path / ".env").exists()


def test_docker_that_may_not_be_used_is_told(clone: Callable[[str], Checkout], tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as forbidden:
        forbidden.bind(str(path))
        path.chmod(0)
        run = clone("stranger").try_make(
            "up", user=OWNER if os.getuid() == 0 else None, DOCKER_HOST=f"unix://{path}"
        )
    assert run.returncode != 0
    assert "you may not use the Docker that is here; type sudo usermod -aG docker" in run.stdout


def test_docker_that_does_not_run_is_told(clone: Callable[[str], Checkout]) -> None:
    run = clone("off").try_make("up", DOCKER_HOST="unix:///nowhere.sock")
    assert run.returncode != 0
    assert (
        "no Docker engine answers here; start Docker, then type make up again, or type make up ENGINE=native"
        in run.stdout
    )
