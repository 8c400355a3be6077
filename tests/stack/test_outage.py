"""What is served while a part is away, and that each comes back by itself with nothing lost."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.engines import DockerStack, NativeStack, Stack
from tests.support import reading_notes, wait_until, writing_notes


@pytest.fixture
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


def test_database_that_is_away_is_a_503_with_retry_after(stack: Stack) -> None:
    stack.stop("db")
    try:
        answer = stack.http.get("/api/notes")
        assert stack.http.get("/healthz").status_code == 200
    finally:
        stack.start("db")
        stack.wait_until_ready()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_database_that_restarts_under_load_fails_no_read_that_comes_after(stack: Stack) -> None:
    with reading_notes(stack.url) as answers:
        wait_until(lambda: len(answers) > 50, "notes to be read")
        stack.stop("db")
        stack.start("db")
        stack.wait_until_ready()
        ready = time.monotonic()
        wait_until(
            lambda: len([began for began, _ in answers if began > ready]) > 200, "notes to be read again"
        )
    assert {status for _, status in answers} <= {200, 503}
    assert {status for began, status in answers if began > ready} == {200}


def test_database_that_restarted_unseen_fails_nothing(stack: Stack) -> None:
    def ask(number: int) -> int:
        method = "POST" if number % 2 else "GET"
        return httpx.request(
            method, f"{stack.url}/api/notes", json={"title": "after"}, timeout=20
        ).status_code

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(100)))  # so that there are connections
        stack.stop("db")
        stack.start("db")
        assert {*threads.map(ask, range(100))} == {200, 201}


def stored_ids(stack: Stack) -> set[int]:
    """Return the ids of all the notes."""
    found: set[int] = set()
    url = "/api/notes?limit=100"
    while url:
        page = stack.http.get(url).json()
        found |= {note["id"] for note in page["items"]}
        url = page["next"]
    return found


@pytest.mark.only(
    "docker", because="native has no supervisor: make ps names what has died, and make up mends it"
)
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


@pytest.mark.only("native", because="docker starts what has died by itself")
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


def test_killed_worker_is_replaced_and_no_acknowledged_note_is_lost(stack: Stack) -> None:
    workers = stack.workers()
    with writing_notes(stack.url) as acknowledged:
        wait_until(lambda: len(acknowledged) > 20, "notes to be written")
        stack.kill(min(workers))
        wait_until(lambda: len(stack.workers() - workers) == 1, "a worker in its place")
        written = len(acknowledged)
        wait_until(lambda: len(acknowledged) > written + 20, "notes to be written again")
    assert len(stack.workers()) == len(workers)
    assert set(acknowledged) <= stored_ids(stack)
