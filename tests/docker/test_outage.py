"""What is killed comes back by itself. (Native has no supervisor.)"""

import pytest

from tests.engines import DockerStack, stored_ids
from tests.support import wait_until, writing_notes


@pytest.mark.parametrize("service", ["web", "nginx", "db"])
def test_killed_service_comes_back_and_no_acknowledged_note_is_lost(
    docker_stack: DockerStack, service: str
) -> None:
    with writing_notes(docker_stack.url) as acknowledged:
        wait_until(lambda: len(acknowledged) > 20, "notes to be written")
        killed = docker_stack.pid(service)
        docker_stack.kill(killed)
        wait_until(lambda: docker_stack.pid(service) not in (0, killed), "another process in its place")
        docker_stack.wait_until_ready()
        written = len(acknowledged)
        wait_until(lambda: len(acknowledged) > written + 20, "notes to be written again")
    assert set(acknowledged) <= stored_ids(docker_stack)
