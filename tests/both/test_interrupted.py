"""A rollout that is interrupted: what serves goes on, and the next make mends what is left by half."""

import signal

import pytest

from tests.engines import engine
from tests.releases import Production, Typed
from tests.support import reading_notes, wait_until

# The step at which it is interrupted, how, and the verb that mends it. On docker, the one after which most is
# left; the rest is of the script that both engines share.
MOMENTS = [
    ("Switching nginx", signal.SIGKILL, "up"),
    ("Watching", signal.SIGINT, "up"),
    ("Migrating", signal.SIGKILL, "up"),
    ("Starting web", signal.SIGINT, "up"),
    ("Waiting until", signal.SIGKILL, "deploy"),
]


@pytest.mark.parametrize(("step", "number", "verb"), MOMENTS if engine() == "native" else MOMENTS[:1])
def test_interrupted_deploy_lets_no_request_fail_and_is_mended(
    production: Production, step: str, number: signal.Signals, verb: str
) -> None:
    production.commit(step.replace(" ", "_").lower())
    watch = "WATCH=0" if step == "Waiting until" else "WATCH=600"
    with Typed(production, "deploy", watch) as deploy, reading_notes(production.url, 1) as answers:
        deploy.await_step(step)
        if step == "Starting web":
            wait_until(lambda: len(production.running("web")) == 2, "the new web to be there")
        deploy.interrupt(number)
        assert production.is_ready()
        production.make(verb, "WATCH=0")
    production.assert_whole()
    assert {status for _, status in answers} == {200}
