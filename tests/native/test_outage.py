"""What is killed is named by `make ps`, and mended by `make up`. (Docker starts it again by itself.)"""

import re

import pytest

from tests.engines import NativeStack, stored_ids
from tests.support import wait_until, writing_notes


@pytest.mark.parametrize("service", ["web", "nginx", "db"])
def test_killed_service_is_named_and_mended_and_no_acknowledged_note_is_lost(
    native_stack: NativeStack, service: str
) -> None:
    checkout = native_stack.checkout
    with writing_notes(native_stack.url) as acknowledged:
        wait_until(lambda: len(acknowledged) > 20, "notes to be written")
        native_stack.kill(native_stack.pid(service))
        wait_until(
            lambda: re.search(rf"^{service} +died", checkout.make("ps"), re.MULTILINE), "it to be named"
        )
        checkout.make("up")
        written = len(acknowledged)
        wait_until(lambda: len(acknowledged) > written + 20, "notes to be written again")
    assert set(acknowledged) <= stored_ids(native_stack)
