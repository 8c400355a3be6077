"""What nginx answers while web is away."""

from collections.abc import Iterator

import pytest

from tests.engines import Stack


@pytest.fixture(scope="module")
def without_web(stack: Stack) -> Iterator[Stack]:
    """The stack, its app stopped."""
    stack.stop("web")
    yield stack
    stack.start("web")
    stack.wait_until_ready()


def test_app_that_is_away_is_a_503_with_retry_after(without_web: Stack) -> None:
    answer = without_web.http.get("/api/notes")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_static_files_are_served_without_the_app(without_web: Stack) -> None:
    assert without_web.http.get("/static/style.css").status_code == 200
