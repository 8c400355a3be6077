"""Of rollouts, what only containers have: an image of nginx."""

from tests.releases import Production


def test_changed_image_of_nginx_is_taken_up_by_a_restart(draft: Production) -> None:
    before, told = draft.since("nginx"), "the image of nginx has changed; it is taken up by a restart"
    draft.edit("nginx/healthcheck", "# Succeeds", "# It succeeds")
    assert told in draft.try_make("doctor").stdout
    assert draft.since("nginx") == before
    draft.make("restart", "S=nginx")
    assert "It succeeds" in draft.in_nginx("cat /usr/local/bin/healthcheck")
    assert told not in draft.make("up")
