"""`make bench URL=…`: another server, on the paths of the notes."""

import httpx
from rich.console import Console
from rich.table import Table

from .options import Options
from .tell import Failure, say
from .works import CONNECTIONS, WORKS, Request
from .wrk import LoadError, Sample, load

LIMITED = (
    "lift RATE_LIMIT, RATE_BURST, RATE_LIMIT_UNSAFE, RATE_BURST_UNSAFE and CLIENT_CONNECTIONS in its .env"
)


def measure(options: Options, console: Console) -> None:
    """Load the server, and tell what came of it (Failure)."""
    table = Table("work", "connections", "req/s", "p50 ms", "p99 ms", title=options.url)
    for name in options.works:
        request = request_of(name, options.url)
        for connections in CONNECTIONS:
            say(console, f"{name}, {connections} connections, {options.seconds} s")
            sample = ask(options, name, request, connections)
            cells = (f"{sample.rate:.0f}", f"{sample.p50:.1f}", f"{sample.p99:.1f}")
            table.add_row(name, str(connections), *cells)
    console.print(table)


def request_of(name: str, url: str) -> Request:
    """Return the request of a work; a note to get is the newest that there is (Failure)."""
    request = WORKS[name].ours
    if name != "get":
        return request
    try:
        items = httpx.get(f"{url}/api/notes", timeout=20).raise_for_status().json()["items"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise Failure(f"GET {url}/api/notes: {error}") from error
    if not items:
        raise Failure(f"{url} has no note to get; create one")
    return Request(request.contestant, f"/api/notes/{items[0]['id']}")


def ask(options: Options, name: str, request: Request, connections: int) -> Sample:
    """Load the server by one request (Failure)."""
    try:
        return load(options.url, request, connections, options.seconds)
    except LoadError as error:
        hint = f"; {LIMITED}" if "429" in error.failures else ""
        raise Failure(f"{name}, {connections} connections: {error}{hint}") from error
