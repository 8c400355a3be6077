"""What is measured, and what it is to reach: the one place for both."""

from dataclasses import dataclass

ISSUER = "https://accounts.google.com"
TOKEN = "the-token-of-the-benchmark-has-43-character"  # noqa: S105 # of a database that is thrown away
CONNECTIONS = (16, 64)
RECORDS = 10_000
STATIC = "/static/bench.json"
CACHED = "/api/cached"
WORKERS = 4  # of web, when its memory is measured
MILLION = 1_000_000


@dataclass(frozen=True)
class Request:
    """What is sent to one of the contestants; `%d` in the path becomes the ids of records."""

    contestant: str
    path: str
    method: str = "GET"
    signed_in: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        sent = {"Content-Type": "application/json"} if self.body else {}
        return sent | ({"Authorization": f"Bearer {TOKEN}"} if self.signed_in else {})

    @property
    def body(self) -> str:
        """The record that is created, about as long as those that are there."""
        text = "Words that fill a page. " * 6
        return f'{{"title": "A new record", "body": "{text}"}}' if self.method == "POST" else ""


@dataclass(frozen=True)
class Work:
    """A request to the stack, and one to what it is compared with."""

    ours: Request
    other: Request


@dataclass(frozen=True)
class Target:
    """What a figure must be and what it is to be, at least, or `at_most`."""

    title: str
    must: float
    reach: float
    at_most: bool = False
    unit: str = ""


def pair(other: str, path: str, method: str = "GET", signed_in: bool = False) -> Work:
    """Return the work of sending the same to both."""
    return Work(Request("ours", path, method, signed_in), Request(other, path, method, signed_in))


WORKS = {
    "auth-list": pair("naive", "/api/tasks", signed_in=True),
    "auth-get": pair("naive", "/api/tasks/%d", signed_in=True),
    "auth-create": pair("naive", "/api/tasks", "POST", signed_in=True),
    "list": pair("bare", "/api/notes"),
    "get": pair("bare", "/api/notes/%d"),
    "create": pair("bare", "/api/notes", "POST"),
    "cached": Work(Request("ours", CACHED), Request("static", STATIC)),
    "page": Work(Request("ours", "/notes"), Request("json", "/api/notes")),
}
TARGETS = {
    "auth-list": Target("list, auth (naive counts, we need not): × naive", 2.4, 3.5),
    "auth-get": Target("get, auth: × naive", 1.5, 2.4),
    "auth-create": Target("create, auth: × naive", 1.8, 3.5),
    "p99": Target("p99 at 64 connections: × naive", 0.6, 0.3, at_most=True),
    "list": Target("list, no auth: share of bare", 0.45, 0.65),
    "get": Target("get, no auth: share of bare", 0.40, 0.60),
    "create": Target("create, no auth: share of bare", 0.40, 0.60),
    "cached": Target("an endpoint marked cacheable: share of a static file of that size", 0.5, 0.9),
    "page": Target("HTML list page: share of the JSON list", 0.5, 0.7),
    "last": Target("whole request for the last page / the first, 1,000,000 rows", 1.5, 1.2, at_most=True),
    "memory": Target(f"memory of web with {WORKERS} workers (PSS)", 160, 130, at_most=True, unit=" MB"),
    "up": Target("`make up` when everything is there, native", 4, 2, at_most=True, unit=" s"),
}
NAMES = (*WORKS, "last", "memory", "up")  # what WORK= takes
