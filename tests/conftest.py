"""The stack under test, in production settings, with name, data and port of its own, on either engine.

On docker it is docker-compose.yml, started by pytest-docker; on native, `make up` in a copy of the checkout.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from engines.copies import UNLIMITED, free_port, production_settings, write_settings
from tests.checkouts import Checkout, copy_repository, variables
from tests.engines import DockerStack, NativeStack, Stack, docker_answers, engine
from tests.support import ROOT, cannot_run

BUILD = ("PYTHON_IMAGE", "POSTGRES_IMAGE", "NGINX_IMAGE", "PIP_INDEX_URL", "CA_BUNDLE")
left_out: Counter[str] = Counter()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tell pytest the options."""
    parser.addoption("--record", action="store_true", help="write the tables of docs/security.md anew")


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest the markers."""
    config.addinivalue_line("markers", "only(engine, because): holds on one engine only")
    config.addinivalue_line("markers", "root: becomes another user, as root alone can")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what holds elsewhere only."""
    elsewhere = [item for item in items if where(item)]
    left_out.update(f"{item.location[0]}, {where(item)}" for item in elsewhere)
    items[:] = [item for item in items if not where(item)]
    config.hook.pytest_deselected(items=elsewhere)


def where(item: pytest.Item) -> str:
    """Return where a test holds, and why not here; nothing where it does."""
    only = item.get_closest_marker("only")
    if only and only.args[0] != engine():
        return f"on engine {only.args[0]} only: {only.kwargs['because']}"
    return "as root only: it becomes another user" if item.get_closest_marker("root") and os.getuid() else ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, and why."""
    for what, number in left_out.items():
        terminalreporter.write_line(f"NOT HERE [{number}] {what}")


@pytest.fixture
def hold_row(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return a function that compares a row of docs/security.md, found by its name, with what came out."""

    def hold(name: str, *cells: object) -> None:
        path = ROOT / "docs" / "security.md"
        row = " | ".join(["", name, *map(str, cells), ""]).strip()
        found = re.search(rf"^\| {re.escape(name)} \|.*$", path.read_text(), re.MULTILINE)
        assert found, f"docs/security.md has no row {name}"
        if request.config.getoption("--record"):
            path.write_text(path.read_text().replace(found[0], row))
        else:
            assert found[0] == row

    return hold


@pytest.fixture(scope="session")
def answering_engine() -> str:
    """The engine that the stack tests run on."""
    if engine() == "docker" and not docker_answers():
        cannot_run("no Docker engine answers here")
    return engine()


@pytest.fixture(scope="session")
def build_settings() -> dict[str, str]:
    """What this machine needs to build and install: from the environment, else from the checkout's .env."""
    lines = (ROOT / ".env").read_text().splitlines() if (ROOT / ".env").exists() else []
    settings = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name: value for name in BUILD if (value := os.environ.get(name) or settings.get(name))}


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The environment without the variables of the stack, which would override a test's own."""
    names = set(re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    return {name: value for name, value in os.environ.items() if name not in names}


@pytest.fixture(scope="session")
def clone(
    tmp_path_factory: pytest.TempPathFactory,
    clean_environment: dict[str, str],
    build_settings: dict[str, str],
) -> Iterator[Callable[[str], Checkout]]:
    """Return a function that makes a checkout, with a HOME that is empty; nothing of it stays."""
    made: list[Checkout] = []

    def make(name: str) -> Checkout:
        path = tmp_path_factory.mktemp("clone") / name
        copy_repository(path)
        home = tmp_path_factory.mktemp("home")
        kept = {n: clean_environment[n] for n in ("PATH", "DOCKER_HOST", "LANG") if n in clean_environment}
        own = {"HOME": str(home), "HTTP_PORT": str(free_port()), "ENGINE": engine()}
        made.append(Checkout(path, kept | build_settings | own))
        return made[-1]

    yield make
    for checkout in made:
        if (checkout.path / ".env").exists():
            checkout.try_make("clean", "sure=yes")


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
def docker_setup() -> list[str]:
    """Build and start."""
    return ["up --build --detach --wait"]


@pytest.fixture(scope="session")
def docker_cleanup() -> list[str]:
    """Leave nothing behind."""
    return ["down --volumes --remove-orphans --rmi local"]


@pytest.fixture(scope="session")
def docker_stack(
    request: pytest.FixtureRequest,
    clean_environment: dict[str, str],
    stack_settings: Path,
    docker_compose_file: str,
    docker_compose_project_name: str,
    stack_port: int,
) -> Iterator[DockerStack]:
    """The stack in containers."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - clean_environment.keys():
            patch.delenv(name)
        request.getfixturevalue("docker_services")
    command = ["docker", "compose", "--env-file", str(stack_settings), "-f", docker_compose_file]
    command += ["-p", docker_compose_project_name]
    running = DockerStack(command, clean_environment, f"http://127.0.0.1:{stack_port}")
    yield running
    running.http.close()


@pytest.fixture(scope="session")
def native_stack(clone: Callable[[str], Checkout]) -> Iterator[NativeStack]:
    """The stack as processes."""
    checkout = clone("production")
    settings = production_settings(int(checkout.environment["HTTP_PORT"]))
    write_settings(checkout.path / ".env", settings | {"ENGINE": "native"})
    checkout.make("up")
    running = NativeStack(checkout)
    yield running
    running.http.close()
    checkout.make("clean", "sure=yes")


@pytest.fixture(scope="session")
def stack(answering_engine: str, request: pytest.FixtureRequest) -> Stack:
    """The running stack."""
    running: Stack = request.getfixturevalue(f"{answering_engine}_stack")
    running.wait_until_ready()
    return running


@pytest.fixture(scope="session")
def checkout(answering_engine: str, clone: Callable[[str], Checkout]) -> Iterator[Checkout]:
    """A checkout whose stack is up."""
    checkout = clone("a checkout")
    assert f"Ready: http://localhost:{checkout.environment['HTTP_PORT']}/" in checkout.make("up")
    yield checkout
    checkout.make("clean", "sure=yes")


@pytest.fixture(scope="module")
def demo(checkout: Checkout) -> Iterator[Checkout]:
    """A checkout in which `make demo-login` was typed, behind a proxy; `make up` ends it."""
    settings = UNLIMITED | {"TRUSTED_PROXIES": "1"}
    screen = checkout.make("demo-login", *variables(settings))
    [port] = re.findall(
        r"Sign in there as whoever you like, with the provider at http://localhost:(\d+)", screen
    )
    yield checkout
    checkout.make("up")
    assert "Sign in" not in httpx.get(checkout.url).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://localhost:{port}")
