"""What is in the logs of production, and what is not."""

import json

import pytest

from tests.checkouts import Checkout
from tests.engines import Stack
from tests.support import get, send_raw, wait_until

SECRETS = {
    "cookie": "secret-of-a-cookie",
    "token": "secret-of-a-token",
    "body": "secret-of-a-body",
    "form": "secret-of-a-form",
    "sign-in": "secret-of-a-sign-in",
}


@pytest.fixture
def request_with_secrets(stack: Stack) -> str:
    """The id of a request that has secrets wherever it may, after others like it."""
    http, form = stack.http, {"title": SECRETS["form"], "csrf_token": SECRETS["form"]}
    http.post("/notes", data=form)
    http.get("/gauth/callback", params={"code": SECRETS["sign-in"], "state": SECRETS["sign-in"]})
    http.post("/gauth/token", json={"id_token": SECRETS["sign-in"]})
    request_id = "with-all-its-secrets"
    http.post(
        "/api/notes",
        json={"title": "x" * 201, "body": SECRETS["body"]},
        headers={
            "Authorization": f"Bearer {SECRETS['token']}",
            "Cookie": f"session={SECRETS['cookie']}",
            "X-Request-ID": request_id,
        },
    )
    wait_until(lambda: request_id in stack.logs("nginx"), "nginx to log")
    return request_id


@pytest.mark.parametrize("service", ["nginx", "web"])
@pytest.mark.parametrize("secret", SECRETS.values())
def test_log_has_no_secret(stack: Stack, request_with_secrets: str, service: str, secret: str) -> None:
    assert request_with_secrets in stack.logs(service)
    assert secret not in stack.logs(service)


def test_log_of_the_database_has_no_statement(checkout: Checkout) -> None:
    statement = "INSERT INTO notes (title) VALUES (repeat('x', 300)) /* secret-of-a-statement */"
    checkout.make("psql", stdin=statement)
    log = checkout.make("logs", "S=db")
    assert "value too long" in log
    assert "secret-of-a-statement" not in log


def lines(stack: Stack, service: str) -> list[dict[str, object]]:
    """Return the lines of a log, without those in which nginx tells of itself in its own form."""
    found = stack.logs(service).replace("\x1b[2K", "").splitlines()
    return [json.loads(line) for line in found if service == "web" or line.startswith("{")]


@pytest.mark.parametrize(("service", "name"), [("nginx", "request_id"), ("web", "request_id")])
def test_line_of_a_request_is_json(stack: Stack, request_with_secrets: str, service: str, name: str) -> None:
    assert request_with_secrets in [line.get(name) for line in lines(stack, service)]


def test_line_is_json_whatever_bytes_a_client_sends(stack: Stack) -> None:
    headers = b'Host: localhost\r\nUser-Agent: \xff"\\\x01\r\nX-Request-ID: any-bytes-1\r\n'
    send_raw(stack.url, b"GET /caf\xc3( HTTP/1.1\r\n" + headers + b"\r\n")
    wait_until(lambda: "any-bytes-1" in stack.logs("nginx"), "nginx to log")
    [line] = [line for line in lines(stack, "nginx") if line["request_id"] == "any-bytes-1"]
    assert str(line).isascii()


def test_query_of_a_sign_in_is_left_out(stack: Stack) -> None:
    stack.http.get("/gauth/login?next=/a", headers={"X-Request-ID": "without-its-query"})
    wait_until(lambda: "without-its-query" in stack.logs("nginx"), "nginx to log")
    [line] = [line for line in lines(stack, "nginx") if line["request_id"] == "without-its-query"]
    assert line["uri"] == "/gauth/login"


def test_request_of_a_stranger_is_in_the_log_by_its_address(stack: Stack) -> None:
    assert get(stack.url, headers={"X-Request-ID": "by-its-address"}).status_code == 200
    wait_until(lambda: "by-its-address" in stack.logs("nginx"), "nginx to log")
    [line] = [line for line in lines(stack, "nginx") if line["request_id"] == "by-its-address"]
    assert line["client"]
