"""The API of notes with nothing between gunicorn and Postgres: what this machine can do at most."""

import os
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson
import psycopg2

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NAMES = ("id", "created_at", "updated_at", "version", "title", "body")
COLUMNS = ", ".join(NAMES)
LIST = f"SELECT {COLUMNS} FROM notes WHERE id < %s ORDER BY id DESC LIMIT 20"  # noqa: S608 # of constants
GET = f"SELECT {COLUMNS} FROM notes WHERE id = %s"  # noqa: S608 # of constants
CREATE = f"INSERT INTO notes (title, body) VALUES (%s, %s) RETURNING {COLUMNS}"  # noqa: S608 # of constants
PATH = "/api/notes"
NEWEST = 2**63 - 1
kept = threading.local()


def read(statement: str, *values: Any) -> list[dict[str, Any]]:
    """Run a statement on the thread's own connection; return its rows."""
    if not hasattr(kept, "cursor"):
        connection = psycopg2.connect(os.environ["DATABASE_URL"], options="-c TimeZone=UTC")
        connection.autocommit = True
        kept.cursor = connection.cursor()
    kept.cursor.execute(statement, values)
    return [dict(zip(NAMES, row, strict=True)) for row in kept.cursor.fetchall()]


def answer(environ: "WSGIEnvironment") -> tuple[str, Any]:
    """Return the status and the document for a request."""
    if environ["REQUEST_METHOD"] == "POST":
        sent = orjson.loads(environ["wsgi.input"].read())
        return "201 Created", read(CREATE, sent["title"], sent.get("body", ""))[0]
    if not environ["PATH_INFO"].startswith(PATH):
        return "404 Not Found", None
    if note_id := environ["PATH_INFO"].removeprefix(PATH).strip("/"):
        found = read(GET, int(note_id))
        return ("200 OK", found[0]) if found else ("404 Not Found", None)
    items = read(LIST, int(environ["QUERY_STRING"].removeprefix("after=") or NEWEST))
    more = f"{PATH}?after={items[-1]['id']}" if len(items) == 20 else None
    return "200 OK", {"items": items, "next": more}


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer a request (PEP 3333)."""
    status, document = answer(environ)
    body = orjson.dumps(document)
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
