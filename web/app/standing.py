"""Where the schema of a database stands, seen from this code's migrations.

Whoever serves asks that too, and does so without Alembic, which is loaded by commands alone.
"""

import ast
import enum
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import Connection, column, func, select, table

STORED = table("alembic_version", column("version_num"))


class NotPreparedError(Exception):
    """The database cannot be used; the message says why, and what to do."""


class Schema(enum.Enum):
    """Where the database's schema stands."""

    BEHIND = "behind"
    CURRENT = "current"
    AHEAD = "ahead"


def folder() -> Path:
    """Return the folder of the app's migrations."""
    return Path(current_app.root_path).parent / "migrations"


def schema_state(connection: Connection) -> Schema:
    """Return where the schema of the database behind `connection` stands (NotPreparedError)."""
    heads, known = known_revisions(folder())
    stored = stored_revisions(connection)
    if stored == heads:
        return Schema.CURRENT
    return Schema.BEHIND if stored <= known else Schema.AHEAD


def stored_revisions(connection: Connection) -> set[str]:
    """Return the newest revisions that the database has had."""
    there = connection.scalar(select(func.to_regclass(STORED.name)))
    return set() if there is None else set(connection.scalars(select(STORED.c.version_num)))


@cache
def known_revisions(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the newest revisions, and all of them, of the migrations in `folder` (NotPreparedError)."""
    paths = (path for path in folder.glob("versions/[!.]*.py") if path.name != "__init__.py")
    try:
        revisions = {named["revision"]: parents(named["down_revision"]) for named in map(names, paths)}
        before = frozenset[str]().union(*revisions.values())
        if before - revisions.keys():
            raise LookupError(f"there is no {', '.join(sorted(before - revisions.keys()))}")
    except Exception as error:
        raise NotPreparedError(f"the migrations cannot be read: {error!r}") from error
    heads = revisions.keys() - before
    if len(heads) > 1:
        raise NotPreparedError(
            f"there are several newest migrations ({', '.join(sorted(heads))}), as after a merge of branches;"
            ' join them: make flask A="db merge heads"'
        )
    return frozenset(heads), frozenset(revisions)


def names(path: Path) -> dict[str, Any]:
    """Return the constants of a migration: https://alembic.sqlalchemy.org/en/latest/tutorial.html"""
    found: dict[str, Any] = {}
    for statement in ast.parse(path.read_bytes(), path.name).body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if name in ("revision", "down_revision"):
                found[name] = ast.literal_eval(value)
    return found


def parents(before: str | Iterable[str] | None) -> set[str]:
    """Return the revisions that one comes after: none, one, or, of one that joins branches, several."""
    return {before} if isinstance(before, str) else set(before or ())
