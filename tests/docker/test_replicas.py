"""Several web containers, started at once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.copies import free_port, production_settings, write_settings
from tests.engines import DockerStack
from tests.support import ROOT


@pytest.fixture
def three(
    answering_engine: str, tmp_path: Path, build_settings: dict[str, str], clean_environment: dict[str, str]
) -> Iterator[DockerStack]:
    """A stack of three web containers, not yet started, whose database is empty."""
    port, project = free_port(), f"slipway-test-replicas-{os.getpid()}"
    settings = build_settings | production_settings(port)
    write_settings(tmp_path / "env", settings | {"COMPOSE_PROJECT_NAME": project, "WEB_REPLICAS": "3"})
    command = [
        "docker",
        "compose",
        "--env-file",
        str(tmp_path / "env"),
        "-f",
        str(ROOT / "docker-compose.yml"),
    ]
    stack = DockerStack(command, clean_environment, f"http://127.0.0.1:{port}")
    yield stack
    stack.compose("down", "--volumes", "--remove-orphans", "--rmi", "local")
    stack.http.close()


def test_one_of_three_replicas_migrates_and_all_become_ready(three: DockerStack) -> None:
    three.compose("up", "--build", "--detach", "--wait")
    assert three.is_ready()
    states = three.compose("ps", "web", "--format", "{{.Health}}").split()
    assert states == ["healthy"] * 3
    assert three.logs("web").count("the schema has been migrated") == 1
