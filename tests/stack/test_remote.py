"""Deploys to the engine of another machine, by ssh, which gets the images that are built here."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from engines.copies import UNLIMITED
from tests.checkouts import Checkout
from tests.second_engine import SecondEngine, second_engine
from tests.support import reading_notes

pytestmark = [
    pytest.mark.only("docker", because="DEPLOY_HOST names a Docker engine"),
    pytest.mark.root,
]


@pytest.fixture(scope="module")
def host(answering_engine: str) -> Iterator[SecondEngine]:
    """Another machine, as good as."""
    # Outside pytest's own folders, which a socket's path would be too long in.
    folder = Path(tempfile.mkdtemp(prefix="slipway-engine-"))
    with second_engine(folder) as engine:
        yield engine


@pytest.fixture(scope="module")
def deployed(host: SecondEngine, clone: Callable[[str], Checkout]) -> Iterator[Checkout]:
    """A checkout of which a first release was deployed to the other machine."""
    checkout = clone("deployed")
    checkout.environment |= {"PATH": host.path, "HTTP_PORT": "8080", **UNLIMITED}
    checkout.url = f"http://{host.host}:8080"
    checkout.make("deploy", f"DEPLOY_HOST={host.url}")
    assert checkout.is_ready()
    yield checkout
    checkout.make("clean", "sure=yes")
    (checkout.path / ".env").unlink()  # nobody is to ask that engine again


def release(checkout: Checkout, name: str) -> None:
    """Change the code, so that /healthz tells `name`."""
    path = checkout.path / "web/app/health/pages.py"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(tell(line, name) for line in lines) + "\n")


def tell(line: str, name: str) -> str:
    """Return a line of the view with another status, the first of which is that of /healthz."""
    return f'    return {{"status": "{name}"}}' if line.startswith('    return {"status":') else line


def told(checkout: Checkout) -> str:
    """Return what /healthz tells."""
    return str(httpx.get(f"{checkout.url}/healthz", timeout=20).json()["status"])


def webs(checkout: Checkout) -> list[str]:
    """Return the lines of web in `make ps`."""
    return [line for line in checkout.make("ps").splitlines() if "-web-" in line]


def test_first_deploy_writes_the_env_of_a_production(deployed: Checkout, host: SecondEngine) -> None:
    assert deployed.setting("APP_SETTINGS") == "config.ProductionConfig"
    assert deployed.setting("COMPOSE_FILE") == "docker-compose.yml"
    assert deployed.setting("DEPLOY_HOST") == host.url


def test_nothing_of_it_runs_on_this_machine(deployed: Checkout) -> None:
    label = f"label=com.docker.compose.project={deployed.setting('COMPOSE_PROJECT_NAME')}"
    assert subprocess.check_output(["docker", "ps", "--all", "--quiet", "--filter", label]) == b""


def test_deploy_and_rollback_over_there_fail_no_request(deployed: Checkout) -> None:
    before = told(deployed)
    release(deployed, "second")
    with reading_notes(deployed.url, clients=1) as answers:
        screen = deployed.make("deploy", "WATCH=2")
        assert told(deployed) == "second"
        deployed.make("rollback", "WATCH=0")
    assert told(deployed) == before
    assert "Sending " in screen
    assert {status for _, status in answers} == {200}
    assert len(webs(deployed)) == 1
