"""The HTTP contract, through nginx."""

import re

import httpx
import pytest

from tests.engines import Stack
from tests.support import assert_problem, send_raw, wait_until


@pytest.fixture
def http(stack: Stack) -> httpx.Client:
    return stack.http


def test_etag_that_gzip_weakened_still_matches(http: httpx.Client) -> None:
    note = http.post("/api/notes", json={"title": "long", "body": "x" * 5000})
    url = note.headers["Location"]
    etag = http.get(url, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    assert http.get(url, headers={"If-None-Match": etag}).status_code == 304
    assert http.patch(url, json={"body": ""}, headers={"If-Match": etag}).status_code == 200


def test_large_answer_is_compressed(http: httpx.Client) -> None:
    answer = http.get("/api/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_static_file_is_revalidated(http: httpx.Client) -> None:
    answer = http.get("/static/style.css")
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    etag = {"If-None-Match": answer.headers["ETag"]}
    assert http.get("/static/style.css", headers=etag).status_code == 304


def test_hashed_name_that_nothing_has_is_kept_by_nobody(http: httpx.Client) -> None:
    answer = http.get("/static/style.0123456789ab.css")
    assert answer.status_code == 404
    assert "Cache-Control" not in answer.headers


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /api/nowhere HTTP/1.1", 404),
        (b"POST /gauth/token?\xff HTTP/1.1", 400),
        (b"GET /api/notes/% HTTP/1.1", 400),
        (b"GET /api/notes/%00 HTTP/1.1", 400),
        (b"GET /api/notes HTTP/3.7", 400),
        (b"GET /api/" + b"x" * 40_000 + b" HTTP/1.1", 414),
        (b"TRACE /api/notes HTTP/1.1", 405),
        (b"FROB /api/notes HTTP/1.1", 405),
        (b"PUT /api/notes/1 HTTP/1.1", 405),
        (b"AB /api/notes HTTP/1.1", 405),
        (b"GET http://localhost/api/nowhere HTTP/1.1", 404),
        (b"GET http://localhost/api/notes/% HTTP/1.1", 400),
        (b"GET /api/notes?limit=x&y=" + b"x" * 7000 + b" HTTP/1.1", 422),
        (b"GET /api/nowhere HTTP/1.1" + b"\r\nX-Many: x" * 200, 404),
        (b"GET /api/nowhere HTTP/1.1\r\nX-Long: " + b"x" * 8000, 404),
        (b"GET /api/notes?limit=x HTTP/1.1", 422),
        (b"GET /api/notes?after=%00%ff HTTP/1.1", 422),
        (b"GET /api/notes?after=\xff\xfe HTTP/1.1", 400),
        (b"GET /api/notes HTTP/1.1\r\nX-Large: " + b"x" * 40_000, 431),
        (b"POST /api/notes HTTP/1.1\r\nTransfer-Encoding: nonsense", 400),
        (b"POST /api/notes HTTP/1.1\r\nContent-Length: -1", 400),
        (b"POST /api/notes HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", 400),
        (b"POST /api/notes HTTP/1.1\r\nContent-Length: 2000000", 413),
        (b"POST /api/notes HTTP/1.1\r\nContent-Length: 0", 415),
        (b"POST /api/notes HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{", 400),
    ],
)
def test_malformed_request_is_a_problem_document(stack: Stack, request_line: bytes, status: int) -> None:
    head, _, body = request_line.partition(b"\r\n\r\n")
    answer = send_raw(stack.url, head + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n" + body)
    match = re.match(rb"HTTP/1\.1 (\d+)", answer)
    assert match is not None, answer
    assert int(match[1]) == status
    assert b"Content-Type: application/problem+json" in answer
    assert b'"request_id":' in answer


def test_malformed_uri_outside_the_api_is_a_page(stack: Stack) -> None:
    answer = send_raw(stack.url, b"GET /% HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Content-Type: text/html" in answer


@pytest.mark.parametrize("path", [b"/", b"/api/notes"])
@pytest.mark.parametrize("host", [b"a" * 64 + b".example", b"a b", b"a/b", b"", b"[::1"])
def test_malformed_host_is_refused(stack: Stack, path: bytes, host: bytes) -> None:
    answer = send_raw(
        stack.url, b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_static_file_cannot_be_posted_to(http: httpx.Client) -> None:
    answer = http.post("/static/style.css")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_body_over_the_limit_is_refused_by_nginx(http: httpx.Client) -> None:
    answer = http.post("/api/notes", json={"title": "x", "body": "y" * 1024 * 1024})
    assert_problem(answer, 413)


@pytest.mark.parametrize("given", ["short", "x" * 65, "not;well-formed"])
def test_request_id_that_is_not_well_formed_is_replaced(http: httpx.Client, given: str) -> None:
    [made] = http.get("/healthz", headers={"X-Request-ID": given}).headers.get_list("X-Request-ID")
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_forged_forwarding_headers_are_not_believed(stack: Stack) -> None:
    forged = {"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "https", "X-Request-ID": "forged-headers"}
    stack.http.get("/notes", headers=forged)
    [line] = [line for line in stack.logs("web").splitlines() if "forged-headers" in line]
    assert "192.0.2.66" not in line
    assert "by http" in line
    assert "by https" not in line


def test_answers_tell_no_versions(http: httpx.Client) -> None:
    assert http.get("/").headers["Server"] == "nginx"
    assert "PostgreSQL" not in http.get("/").text


def test_code_of_a_sign_in_is_in_no_log(stack: Stack, http: httpx.Client) -> None:
    answers = (http.get("/gauth/callback?code=a-secret&state=x") for _ in range(500))
    assert 429 in (answer.status_code for answer in answers)
    http.get("/nowhere", headers={"X-Request-ID": "after-the-codes"})
    wait_until(lambda: "after-the-codes" in stack.logs("nginx"), "nginx to log")
    assert "a-secret" not in stack.logs("nginx")


def test_signing_in_is_limited_for_each_client(http: httpx.Client) -> None:
    clients = ({"X-Forwarded-For": f"192.0.2.{number % 250}"} for number in range(500))
    answers = (http.post("/gauth/token", headers=client) for client in clients)
    refused = next(answer for answer in answers if answer.status_code != 404)
    assert_problem(refused, 429)
    assert refused.headers["Retry-After"] == "2"
    assert http.get("/api/notes").status_code == 200
