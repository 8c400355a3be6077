"""The stack under test: docker-compose.yml in production settings, with name, volumes and port of its own."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

ROOT = Path(__file__).parent.parent
BUILD = ("PYTHON_IMAGE", "POSTGRES_IMAGE", "NGINX_IMAGE", "PIP_INDEX_URL", "CA_BUNDLE")


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


@pytest.fixture(scope="session")
def docker() -> None:
    """A Docker engine that may be used."""
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True).returncode:
        cannot_run("no Docker engine answers here")


@pytest.fixture(scope="session")
def build_settings() -> dict[str, str]:
    """What this machine needs to build images: from the environment, else from the checkout's .env."""
    lines = (ROOT / ".env").read_text().splitlines() if (ROOT / ".env").exists() else []
    settings = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name: value for name in BUILD if (value := os.environ.get(name) or settings.get(name))}


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The environment without the variables of the stack, which would override a test's own."""
    text = "".join((ROOT / name).read_text() for name in ("docker-compose.yml", "docker-compose.dev.yml"))
    names = set(re.findall(r"\$\{(\w+)", text)) | {"COMPOSE_FILE", "COMPOSE_PROFILES", "ENGINE"}
    return {name: value for name, value in os.environ.items() if name not in names}


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


class DockerStack:
    """A running stack: where it is served, and what can be done to its services."""

    def __init__(self, command: list[str], environment: dict[str, str], url: str) -> None:
        self.command = command
        self.environment = environment
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=20)

    def compose(self, *arguments: str) -> str:
        """Run Docker Compose; return what it prints."""
        run = subprocess.run(
            [*self.command, *arguments], env=self.environment, cwd=ROOT, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    def logs(self, service: str) -> str:
        """Return the log of `service`."""
        return self.compose("logs", "--no-log-prefix", "--no-color", service)

    def start(self, service: str) -> None:
        """Start `service`, and wait until it is well."""
        self.compose("up", "--detach", "--no-deps", "--wait", service)

    def stop(self, service: str) -> None:
        """Stop `service`."""
        self.compose("stop", service)

    def inspect(self, service: str, what: str) -> str:
        """Return a field of the first container of `service`."""
        container = self.compose("ps", "--quiet", service).split()[0]
        return subprocess.check_output(["docker", "inspect", "--format", what, container], text=True).strip()

    def pid(self, service: str) -> int:
        """Return the pid, on the engine's host, of the first process of `service`."""
        return int(self.inspect(service, "{{.State.Pid}}"))

    def on_host(self, script: str) -> str:
        """Run a shell script among the processes of the engine's host, which need not be this machine."""
        command = [
            "docker",
            "run",
            "--rm",
            "--privileged",
            "--pid",
            "host",
            "--user",
            "0",
            "--entrypoint",
            "sh",
        ]
        image = self.inspect("web", "{{.Config.Image}}")
        return subprocess.check_output([*command, image, "-c", script], text=True)

    def children(self, pid: int) -> list[int]:
        """Return the pids of the processes that `pid` has started."""
        return [int(child) for child in self.on_host(f"cat /proc/{pid}/task/{pid}/children").split()]

    def kill(self, pid: int) -> None:
        """End a process of the stack by SIGKILL."""
        self.on_host(f"kill -9 {pid}")

    def is_ready(self) -> bool:
        """Tell whether the app answers through nginx, its database migrated."""
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_ready(self) -> None:
        """Wait until the stack answers."""
        wait_until(self.is_ready, "the stack to be ready")


@pytest.fixture(scope="session")
def stack_port() -> int:
    """The port that the stack is served on."""
    return free_port()


@pytest.fixture(scope="session")
def docker_compose_project_name() -> str:
    """The name of the stack's containers and volumes."""
    return f"slipway-test-{os.getpid()}"


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    """The compose file of production."""
    return str(ROOT / "docker-compose.yml")


@pytest.fixture(scope="session")
def stack_settings(
    tmp_path_factory: pytest.TempPathFactory,
    build_settings: dict[str, str],
    docker_compose_project_name: str,
    stack_port: int,
) -> Path:
    """The .env of the stack, never the user's."""
    path = tmp_path_factory.mktemp("settings") / "env"
    name = {"COMPOSE_PROJECT_NAME": docker_compose_project_name}
    write_settings(path, build_settings | production_settings(stack_port) | name)
    return path


@pytest.fixture(scope="session")
def docker_compose_command(stack_settings: Path) -> str:
    """Docker Compose with the settings of the test."""
    return f"docker compose --env-file '{stack_settings}'"


@pytest.fixture(scope="session")
def docker_setup(docker: None) -> list[str]:
    """Build and start."""
    return ["up --build --detach --wait"]


@pytest.fixture(scope="session")
def docker_cleanup() -> list[str]:
    """Leave nothing behind."""
    return ["down --volumes --remove-orphans --rmi local"]


@pytest.fixture(scope="session")
def stack(
    docker: None,
    request: pytest.FixtureRequest,
    clean_environment: dict[str, str],
    stack_settings: Path,
    docker_compose_file: str,
    docker_compose_project_name: str,
    stack_port: int,
) -> Iterator[DockerStack]:
    """The running stack."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - clean_environment.keys():
            patch.delenv(name)
        request.getfixturevalue("docker_services")
    command = ["docker", "compose", "--env-file", str(stack_settings), "-f", docker_compose_file]
    command += ["-p", docker_compose_project_name]
    running = DockerStack(command, clean_environment, f"http://127.0.0.1:{stack_port}")
    running.wait_until_ready()
    yield running
    running.http.close()
