"""A rollout that is interrupted: what serves goes on, and the next make mends what is left by half."""

import signal

import pytest

from tests.engines import engine
from tests.releases import Production, Typed
from tests.support import reading_notes, wait_until

# On docker, the one after which most is left; the rest is of the script that both engines share.
MOMENTS = [
    (signal.SIGKILL, "Switching nginx"),
    (signal.SIGINT, "Watching"),
    (signal.SIGKILL, "Migrating"),
    (signal.SIGINT, "Starting web"),
    (signal.SIGKILL, "Waiting until"),
]


@pytest.mark.parametrize(("number", "step"), MOMENTS if engine() == "native" else MOMENTS[:1])
def test_interrupted_deploy_lets_no_request_fail_and_up_mends_it(
    production: Production, number: signal.Signals, step: str
) -> None:
    production.commit(f"{number.name}_{step.split()[0]}".lower())
    watch = "WATCH=0" if step == "Waiting until" else "WATCH=600"
    with Typed(production, "deploy", watch) as deploy, reading_notes(production.url, 1) as answers:
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
    with Typed(production, "deploy", "WATCH=600") as deploy:
        deploy.await_step("Starting web")
        wait_until(lambda: len(production.running("web")) == 2, "the new web to be there")
        deploy.interrupt(signal.SIGKILL)
    production.commit("after")
    assert "Mending what an earlier make has left by half" in production.make("deploy", "WATCH=0")
    assert production.status() == "after"
    production.assert_whole()
