"""What is served while a part is away, and that each comes back by itself with nothing lost."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.engines import Stack, stored_ids
from tests.support import reading_notes, request, wait_until, writing_notes


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
        return request(method, f"{stack.url}/api/notes", json={"title": "after"}).status_code

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(100)))  # so that there are connections
        stack.stop("db")
        stack.start("db")
        assert {*threads.map(ask, range(100))} == {200, 201}


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
