"""The stacks under test, each with name, data and port of its own, on either engine.

`stack` runs in production settings: on docker it is docker-compose.yml, started by pytest-docker; on native,
`make up` in a copy of the checkout. `checkout` is a copy in development, `production` one with releases.
Of each, every worker of pytest-xdist has its own.
"""

import fcntl
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.checkouts import Checkout, copy_repository, variables
from tests.copies import UNLIMITED, free_port, production_settings, write_settings
from tests.engines import DockerStack, NativeStack, Stack, docker_answers, engine, services
from tests.releases import Production
from tests.support import ROOT, cannot_run, get

ATTESTATIONS = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}  # as engines/docker.sh has it
BUILD = ("PYTHON_IMAGE", "POSTGRES_IMAGE", "NGINX_IMAGE", "PIP_INDEX_URL", "CA_BUNDLE")


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
        if "PYTEST_XDIST_WORKER" in os.environ and engine() == "docker" and docker_answers():
            build_images(path, clean_environment | build_settings, tmp_path_factory.getbasetemp().parent)
        home = tmp_path_factory.mktemp("home")
        kept = {n: clean_environment[n] for n in ("PATH", "DOCKER_HOST", "LANG") if n in clean_environment}
        own = {"HOME": str(home), "HTTP_PORT": str(free_port()), "ENGINE": engine()}
        made.append(Checkout(path, kept | build_settings | own))
        return made[-1]

    yield make
    for checkout in made:
        if (checkout.path / ".env").exists():
            checkout.try_make("clean", "sure=yes")


def build_images(path: Path, environment: dict[str, str], shared: Path) -> None:
    """Build the images of a copy for the first worker of a run; the others wait, and find them cached.

    Two that build the same at once may each get layers of their own, and later those of the other.
    """
    built = shared / "images"
    with (shared / "images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            settings = {
                "POSTGRES_PASSWORD": "-",
                "APP_SETTINGS": "-",
                "COMPOSE_PROJECT_NAME": "slipway-test-images",
            }
            command = ["docker", "compose", "--profile", "db", "build", "--quiet"]
            subprocess.run(command, cwd=path, env=environment | settings | ATTESTATIONS, check=True)
            built.touch()


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
    """The stack as processes, in which coverage is measured if it is at all."""
    checkout = clone("production")
    name = "COVERAGE_PROCESS_CONFIG"  # https://coverage.readthedocs.io/en/latest/subprocess.html
    checkout.environment |= {name: os.environ[name]} if name in os.environ else {}
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
    assert "Sign in there as whoever you like" in checkout.make("demo-login", *variables(settings))
    yield checkout
    checkout.make("up")
    assert "Sign in" not in get(checkout.url).text
    assert "login" not in services(checkout)


@pytest.fixture
def edit(checkout: Checkout) -> Iterator[Callable[[str, str, str], None]]:
    """Return a function that replaces text in a file, until the test is over."""
    originals: dict[Path, str] = {}

    def replace(name: str, old: str, new: str) -> None:
        path = checkout.path / name
        originals.setdefault(path, path.read_text())
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    yield replace
    for path, text in originals.items():
        path.write_text(text)


@pytest.fixture(scope="module")
def production(answering_engine: str, clone: Callable[[str], Checkout]) -> Iterator[Production]:
    """A checkout in production, whose first release serves and says "first"; each test leaves one serving."""
    production = Production(clone("production"))
    production.commit("first")
    production.make("up")
    yield production
    production.make("clean", "sure=yes")


@pytest.fixture
def draft(production: Production) -> Iterator[Production]:
    """The production, in whose files a test may change what it does not commit."""
    yield production
    production.restore()


@pytest.fixture(scope="module")
def backup(checkout: Checkout) -> str:
    """A backup whose newest note is called "kept"; there is a newer one by now."""
    checkout.create_note(title="kept")
    [file] = re.findall(r"make restore FILE=(\S+)", checkout.make("backup"))
    checkout.create_note(title="after the backup")
    return str(file)
