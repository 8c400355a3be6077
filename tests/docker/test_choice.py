"""Which engine the first `make up` takes, and what it says where Docker does not do."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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


@pytest.fixture
def derive(build_settings: dict[str, str]) -> Iterator[Callable[[str], str]]:
    """Return a function that makes an image of the database's with other lines in its Dockerfile."""
    made: list[str] = []

    def build(lines: str) -> str:
        base = build_settings.get("POSTGRES_IMAGE", "postgres:18-trixie")
        made.append(f"slipway-test-database:{os.getpid()}-{len(made)}")
        command = ["docker", "build", "--quiet", "--tag", made[-1], "-"]
        subprocess.run(command, input=f"FROM {base}\n{lines}\n", text=True, check=True)
        return made[-1]

    yield build
    for image in made:
        subprocess.run(["docker", "image", "rm", "--force", image], check=True, capture_output=True)


def test_data_outlives_an_image_that_has_it_elsewhere(
    clone: Callable[[str], Checkout], derive: Callable[[str], str]
) -> None:
    """As postgres:17, and the images that are made of it."""
    older = clone("older")
    folder = "/var/lib/postgresql/data"
    older.environment["POSTGRES_IMAGE"] = derive(f"ENV PGDATA={folder}\nVOLUME {folder}")
    older.make("up")
    older.create_note(title="kept")
    older.make("down")
    older.make("up")
    assert older.titles() == ["kept"]


def test_image_whose_user_cannot_have_the_data_is_told(
    clone: Callable[[str], Checkout], derive: Callable[[str], str]
) -> None:
    image = derive("USER 0\nRUN sed -i 's/^postgres:x:999:/postgres:x:70:/' /etc/passwd")
    run = clone("alpine").try_make("up", POSTGRES_IMAGE=image)
    assert run.returncode != 0
    assert f"POSTGRES_IMAGE={image}: its user postgres is 70, and must be 999" in run.stdout


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
