"""A rollout that is interrupted: what serves goes on, and the next make mends what is left by half."""

import signal
import subprocess

import pytest

from tests.releases import Production, Typed
from tests.support import reading_notes, wait_until


@pytest.mark.parametrize(
    ("number", "step"),
    [
        (signal.SIGKILL, "Migrating"),
        (signal.SIGINT, "Starting web"),
        (signal.SIGKILL, "Starting web"),
        (signal.SIGKILL, "Switching nginx"),
        (signal.SIGINT, "Watching"),
        (signal.SIGKILL, "Waiting until"),
    ],
)
def test_interrupted_deploy_lets_no_request_fail_and_up_mends_it(
    production: Production, number: signal.Signals, step: str
) -> None:
    production.commit(f"{number.name}_{step.split()[0]}".lower())
    deploy = Typed(production, "deploy", "WATCH=2" if step == "Waiting until" else "WATCH=60")
    with reading_notes(production.url, 1) as answers:
        deploy.await_step(step)
        if step == "Starting web":
            wait_until(lambda: len(production.running("web")) == 2, "the new web to be there")
        deploy.interrupt(number)
        assert production.is_ready()
        production.make("up")
    production.assert_whole()
    assert {status for _, status in answers} == {200}


def test_deploy_after_one_that_was_interrupted_goes_through(production: Production) -> None:
    production.commit("interrupted")
    deploy = Typed(production, "deploy", "WATCH=60")
    deploy.await_step("Watching")
    deploy.interrupt(signal.SIGKILL)
    production.commit("after")
    assert "Mending what an earlier make has left by half" in production.make("deploy", "WATCH=0")
    assert production.status() == "after"
    production.assert_whole()


@pytest.mark.only("docker", because="it is Docker that starts what was running")
def test_restart_of_the_host_amid_a_rollout_is_survived(production: Production) -> None:
    """The restart is simulated: all containers are killed at once, and started in another order."""
    production.commit("amid")
    deploy = Typed(production, "deploy", "WATCH=60")
    deploy.await_step("Watching")
    deploy.interrupt(signal.SIGKILL)
    there = production.containers()
    assert len(there) == 4
    subprocess.run(["docker", "kill", *there], check=True, stdout=subprocess.DEVNULL)
    # The newest, which is the new web, comes first here, and so gets an address that was another's.
    subprocess.run(["docker", "start", *there], check=True, stdout=subprocess.DEVNULL)
    wait_until(production.is_ready, "it to serve again")
    production.make("up")
    production.assert_whole()
    assert production.is_ready()
