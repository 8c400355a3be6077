"""What no honest client sends, through nginx. What came of it is in docs/security.md (`--record`)."""

import json
import re
from collections.abc import Callable

import pytest

from tests.engines import Stack
from tests.hostile import KINDS, SMUGGLED
from tests.support import send_raw, wait_until

ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) .*?\r\n\r\n", re.DOTALL)


def header(head: bytes, name: bytes) -> bytes:
    """Return the value of a header that an answer has once."""
    [value] = re.findall(rb"(?im)^" + name + rb": (.*?)\r$", head)
    return bytes(value)


def check(request: bytes, answer: bytes) -> str:
    """Return the status of `answer` once that is no fault of ours, and has the contract's form."""
    match = ANSWER.match(answer)
    if not match:
        assert answer == b"", request[:300]
        return "closed"
    status, head, body = int(match[1]), match[0], answer[match.end() :]
    assert status < 500, request[:300]
    if status < 400:
        return str(status)
    request_id, kind = header(head, b"X-Request-ID"), header(head, b"Content-Type")
    if re.match(rb"[A-Z]+ (http://localhost)?/(api/|gauth/token)", request):
        assert kind == b"application/problem+json", request[:300]
    if kind == b"application/problem+json":
        document = json.loads(body)
        assert (document["status"], document["request_id"]) == (status, request_id.decode())
    else:
        assert kind == b"text/html; charset=utf-8"
        assert request_id in body
    return str(status)


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_request_is_refused_or_does_no_harm(
    stack: Stack, kind: str, hold_row: Callable[..., None]
) -> None:
    workers = stack.workers()
    outcomes = {check(request, send_raw(stack.url, request)) for request in KINDS[kind]}
    hold_row(kind, len(KINDS[kind]), ", ".join(sorted(outcomes)))
    assert stack.is_ready()
    assert stack.workers() == workers


def test_header_that_takes_long_to_read_keeps_nobody_waiting(stack: Stack) -> None:
    """A hundred headers of 8 kB, for regular expressions to go over again and again."""
    head = b"GET /api/nowhere HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: " + b"a" * 8000
    answers = send_raw(
        stack.url,
        (head + b"\r\n\r\n") * 99 + head + b"\r\nConnection: close\r\n\r\n",
        whole_connection=True,
    )
    assert answers.count(b"HTTP/1.1 404 ") == 100


def test_request_inside_a_request_is_not_answered(stack: Stack) -> None:
    for request in KINDS["Request smuggling"]:
        assert SMUGGLED in request
        answers = ANSWER.findall(send_raw(stack.url, request, whole_connection=True))
        assert len(answers) <= 1, request
    stack.http.get("/nowhere", headers={"X-Request-ID": "after-the-smuggled"})
    wait_until(lambda: "after-the-smuggled" in stack.logs("nginx"), "nginx to log")
    assert "/api/smuggled" not in stack.logs("nginx")
    assert "/api/smuggled" not in stack.logs("web")
