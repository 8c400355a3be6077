"""Deploys to the engine of another machine, by ssh, which gets the images that are built here."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.checkouts import Checkout
from tests.copies import UNLIMITED, free_port
from tests.releases import Typed, said, say
from tests.second_engine import SecondEngine, second_engine
from tests.support import get, reading_notes, wait_until

pytestmark = pytest.mark.root


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


def test_deploy_over_there_fails_no_request(deployed: Checkout) -> None:
    say(deployed, "second")
    with reading_notes(deployed.url, clients=1) as answers:
        screen = deployed.make("deploy", "WATCH=1")
        assert said(deployed) == "second"
    assert "Sending " in screen
    assert {status for _, status in answers} == {200}
    assert len(webs(deployed)) == 1


def test_restart_of_the_host_amid_a_rollback_is_survived(deployed: Checkout, host: SecondEngine) -> None:
    with Typed(deployed, "rollback", "WATCH=600") as rollback:
        rollback.await_step("Watching")
        host.cut_power()
        host.start()
        rollback.finish()
    wait_until(deployed.is_ready, "it to serve again, by itself")
    deployed.make("up")
    assert len(webs(deployed)) == 1
    assert deployed.is_ready()


@pytest.fixture
def registry(deployed: Checkout, host: SecondEngine) -> Iterator[str]:
    """A registry that both machines reach at the same address, and that the checkout's images go by."""
    address = f"127.0.0.1:{free_port()}"
    deployed.environment["IMAGE_REPOSITORY"] = f"{address}/team/app"
    with host.registry(address):
        yield address
        deployed.make("clean", "sure=yes")
    del deployed.environment["IMAGE_REPOSITORY"]


def test_images_go_by_a_registry(deployed: Checkout, registry: str) -> None:
    # What another machine has pushed is not here.
    built, pushed = f"{deployed.setting('COMPOSE_PROJECT_NAME')}-web", f"{registry}/team/app-web:elsewhere"
    newest, *_ = subprocess.check_output(["docker", "images", "--quiet", built], text=True).split()
    subprocess.run(["docker", "tag", newest, pushed], check=True)
    subprocess.run(["docker", "push", "--quiet", pushed], check=True)
    subprocess.run(["docker", "image", "rm", pushed], check=True)
    say(deployed, "not_pushed")
    assert "elsewhere serves" in deployed.make("deploy", "WATCH=0", "TAG=elsewhere")
    assert said(deployed) == "second"
    # nginx is built by each deploy, and goes over there by the registry alone.
    assert "team/app-nginx" in get(f"http://{registry}/v2/_catalog").json()["repositories"]
