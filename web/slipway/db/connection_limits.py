"""How many connections web may hold, and how many the database takes."""

from flask import current_app
from sqlalchemy import Connection, text

RESERVED = ("superuser_reserved_connections", "reserved_connections")
EACH = 2  # of a thread: one for a transaction, and one to read a row by meanwhile
BESIDE = 2  # web: a deploy starts the new beside the old


def wanted() -> int:
    """Return how many connections all of web may hold: two a thread, and twice that in a deploy."""
    settings = current_app.config
    beside = 1 if settings["DEVELOPMENT"] else BESIDE
    return int(settings["WEB_REPLICAS"] * settings["WEB_WORKERS"] * settings["WEB_THREADS"] * EACH * beside)


def offered(connection: Connection) -> int:
    """Return how many connections the database takes from users who are not its administrators."""
    statement = text("SELECT name, setting::integer FROM pg_settings WHERE name = ANY(:names)")
    found: dict[str, int] = dict(
        connection.execute(statement, {"names": ["max_connections", *RESERVED]}).all()
    )
    return found["max_connections"] - sum(found.get(name, 0) for name in RESERVED)


def overdrawn(connection: Connection) -> str | None:
    """Return what is wrong where web may want more than there are, and what mends it."""
    want, there = wanted(), offered(connection)
    if want <= there:
        return None
    factors = " x ".join(("WEB_REPLICAS", "WEB_WORKERS", "WEB_THREADS", str(EACH)))
    when = "" if current_app.config["DEVELOPMENT"] else ", and as many again during a deploy"
    return (
        f"web may want {want} connections ({factors}{when}), and the database has {there};"
        " lower one of these in .env, or raise max_connections"
    )
