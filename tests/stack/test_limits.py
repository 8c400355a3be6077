"""What one client, all of them together, and other origins may ask for, where that is little."""

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count

import httpx
import pytest

from tests.checkouts import Checkout, variables
from tests.engines import Stack
from tests.support import PATIENCE, assert_problem, post, wait_until

SETTINGS = {
    "CLIENT_CONNECTIONS": "5",
    "CORS_ORIGINS": "https://app.example.com, http://localhost:3000",
    "RATE_LIMIT": "20",
    "RATE_BURST": "30",
    "RATE_LIMIT_UNSAFE": "1",
    "RATE_BURST_UNSAFE": "4",
    "STATEMENT_TIMEOUT": "6",
    "TRUSTED_PROXIES": "1",  # so that each test is a client of its own
    "WEB_CONNECTIONS": "8",
}
addresses = count(1)


@pytest.fixture(scope="module")
def limited(checkout: Checkout) -> Iterator[Checkout]:
    """A checkout whose stack has small limits."""
    checkout.make("up", *variables(SETTINGS))
    yield checkout
    checkout.make("up")


@pytest.fixture
def client(limited: Checkout) -> Iterator[Callable[[], httpx.Client]]:
    """Return a function that makes a client with an address of its own."""
    with ExitStack() as opened:

        def make() -> httpx.Client:
            own = {"X-Forwarded-For": f"192.0.2.{next(addresses)}"}
            return opened.enter_context(httpx.Client(base_url=limited.url, headers=own, timeout=PATIENCE))

        yield make


@pytest.fixture
def http(client: Callable[[], httpx.Client]) -> httpx.Client:
    """A client with an address of its own."""
    return client()


@contextmanager
def locked(checkout: Checkout) -> Iterator[None]:
    """Keep the table of notes locked, so that whoever asks for them waits."""
    command = ["make", "--no-print-directory", "psql"]
    with subprocess.Popen(
        command,
        cwd=checkout.path,
        env=checkout.environment | SETTINGS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as psql:
        assert psql.stdin
        assert psql.stdout
        psql.stdin.write("BEGIN; LOCK TABLE notes;\n")
        psql.stdin.flush()
        assert any("LOCK TABLE" in line for line in psql.stdout)
        yield
        psql.communicate()


def assert_refused(answer: httpx.Response, status: int) -> None:
    """Assert that `answer` is a problem document that says when to come back."""
    assert_problem(answer, status)
    assert int(answer.headers["Retry-After"]) >= 1


def refused(ask: Callable[[], httpx.Response], attempts: int) -> httpx.Response:
    """Return the first answer that is a 429 to one of as many attempts."""
    return next(answer for answer in (ask() for _ in range(attempts)) if answer.status_code == 429)


def test_client_that_asks_too_often_is_refused_for_a_while(http: httpx.Client) -> None:
    assert_refused(refused(lambda: http.get("/api/notes/0"), 1000), 429)
    wait_until(lambda: http.get("/api/notes/0").status_code == 404, "the client to be let in again")


def test_changes_are_limited_more_strictly(http: httpx.Client) -> None:
    assert_refused(refused(lambda: http.post("/api/notes", json={}), 6), 429)
    assert http.get("/api/notes/0").status_code == 404


def test_limit_is_for_each_client(http: httpx.Client, client: Callable[[], httpx.Client]) -> None:
    refused(lambda: http.post("/api/notes", json={}), 6)
    assert client().post("/api/notes", json={}).status_code == 422


@pytest.mark.parametrize(
    "address",
    ["2001:db8:1:2:{:x}:b:c:d", "2001:db8:1:3:{:x}::1", "2001:db8::4:{:x}:b:c:d", "2001:db8::{:x}:b:c:5"],
)
def test_addresses_of_one_ipv6_network_are_one_client(limited: Checkout, address: str) -> None:
    def ask(number: int) -> int:
        headers = {"X-Forwarded-For": address.format(0x1000 + number)}
        return post(f"{limited.url}/api/notes", json={}, headers=headers).status_code

    assert 429 in [ask(number) for number in range(8)]


@pytest.mark.parametrize("address", ["2001:db8:{:x}:1::1", "2001:db8:{:x}::1", "2001:db8::{:x}:a:b:c:d"])
def test_ipv6_networks_are_clients_of_their_own(limited: Checkout, address: str) -> None:
    def ask(number: int) -> int:
        headers = {"X-Forwarded-For": address.format(0x2000 + number)}
        return post(f"{limited.url}/api/notes", json={}, headers=headers).status_code

    assert {ask(number) for number in range(8)} == {422}


@pytest.mark.parametrize("address", ["198.51.100.7:{}", "[2001:db8:7::1]:{}", "[2001:db8:8:1::{}]"])
def test_port_beside_an_address_makes_no_other_client(limited: Checkout, address: str) -> None:
    def ask(number: int) -> int:
        headers = {"X-Forwarded-For": address.format(1000 + number)}
        return post(f"{limited.url}/api/notes", json={}, headers=headers).status_code

    assert 429 in [ask(number) for number in range(8)]


def test_static_files_are_not_counted(http: httpx.Client) -> None:
    assert {http.get("/static/style.css").status_code for _ in range(100)} == {200}


def test_limit_outside_the_api_is_told_on_a_page(http: httpx.Client) -> None:
    page = refused(lambda: http.post("/notes"), 6)
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Retry-After"]


Answers = list[Future[httpx.Response]]


def statuses(answers: Answers) -> list[int]:
    """Return the statuses of those that have been answered."""
    return [answer.result().status_code for answer in answers if answer.done()]


def test_client_with_too_many_requests_at_once_is_refused(limited: Checkout, http: httpx.Client) -> None:
    with ThreadPoolExecutor(12) as threads, locked(limited):
        answers = [threads.submit(http.get, "/api/notes") for _ in range(12)]
        wait_until(lambda: statuses(answers).count(429) == 7, "the client to be refused")
        assert_refused(next(answer.result() for answer in answers if answer.done()), 429)


def test_more_than_web_takes_is_refused_at_once_and_the_rest_served(
    limited: Checkout, client: Callable[[], httpx.Client], hold_row: Callable[..., None]
) -> None:
    clients = [client() for _ in range(40)]
    with ThreadPoolExecutor(40) as threads:
        with locked(limited):
            answers = [threads.submit(one.get, "/api/notes") for one in clients]
            wait_until(lambda: len(statuses(answers)) == 32, "those that are too many to be refused")
            assert_refused(next(answer.result() for answer in answers if answer.done()), 503)
            waiting = [answer for answer in answers if not answer.done()]
        assert waiting
        assert {answer.result().status_code for answer in waiting} == {200}
    wait_until(limited.is_ready, "the stack to be as before")
    hold_row("Requests at once, 5 times what web takes", 40, "503 at once, the rest when their turn comes")


def test_statement_that_takes_too_long_is_ended(limited: Checkout, http: httpx.Client) -> None:
    with locked(limited):
        assert_refused(http.get("/api/notes"), 503)
    assert http.get("/api/notes").status_code == 200


# --- other origins ---

PREFLIGHT = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PATCH"}


def cors(answer: httpx.Response) -> dict[str, str]:
    """Return the headers that tell a browser what another origin may do."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def test_other_origins_are_told_nothing(stack: Stack) -> None:
    assert cors(stack.http.get("/api/notes", headers={"Origin": "https://app.example.com"})) == {}
    assert cors(stack.http.options("/api/notes/1", headers=PREFLIGHT)) == {}


@pytest.mark.parametrize("origin", ["https://app.example.com", "http://localhost:3000"])
@pytest.mark.parametrize("path", ["/api/notes", "/api/notes/0", "/api/notes?limit=x", "/gauth/token"])
def test_named_origin_may_read_the_api(http: httpx.Client, origin: str, path: str) -> None:
    answer = http.get(path, headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers.get_list("Vary")
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_named_origin_may_ask_first(http: httpx.Client) -> None:
    answer = http.options("/api/notes/1", headers=PREFLIGHT)
    assert answer.status_code == 204
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    allowed = set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert {"Authorization", "Content-Type", "If-Match", "X-Requested-With"} <= allowed
    assert {"traceparent", "tracestate", "baggage", "sentry-trace"} <= allowed


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "https://app.example.co",
        "http://app.example.com",
        "https://app.example.com:444",
        "null",
        "https://evil.example https://evil.example",
        "https://app.example.com https://evil.example",
        "",
    ],
)
def test_other_origin_may_not(http: httpx.Client, origin: str) -> None:
    assert cors(http.get("/api/notes", headers={"Origin": origin})) == {}


def test_pages_are_for_no_other_origin(http: httpx.Client) -> None:
    assert cors(http.get("/notes", headers={"Origin": "https://app.example.com"})) == {}
