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


class SchemaState(enum.Enum):
    """Where the database's schema stands."""

    BEHIND = "behind"
    CURRENT = "current"
    AHEAD = "ahead"


def folder() -> Path:
    """Return the folder of the app's migrations."""
    return Path(current_app.root_path).parent / "migrations"


def schema_state(connection: Connection) -> SchemaState:
    """Return where the schema of the database behind `connection` stands (NotPreparedError)."""
    heads, known = known_revisions(folder())
    stored = stored_revisions(connection)
    if stored == heads:
        return SchemaState.CURRENT
    return SchemaState.BEHIND if stored <= known else SchemaState.AHEAD


def takes_writes(connection: Connection) -> bool:
    """Tell whether the server behind `connection` does; a standby does not.

    https://www.postgresql.org/docs/current/hot-standby.html
    """
    return connection.scalar(select(func.current_setting("transaction_read_only"))) == "off"


def stored_revisions(connection: Connection) -> set[str]:
    """Return the newest revisions that the database has had."""
    there = connection.scalar(select(func.to_regclass(STORED.name)))
    return set() if there is None else set(connection.scalars(select(STORED.c.version_num)))


@cache
def known_revisions(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the newest revisions, and all of them, of the migrations in `folder` (NotPreparedError)."""
    paths = (path for path in folder.glob("versions/[!.]*.py") if path.name != "__init__.py")
    revisions = dict(map(read, paths))
    before = frozenset[str]().union(*revisions.values())
    if before - revisions.keys():
        missing = ", ".join(sorted(before - revisions.keys()))
        raise NotPreparedError(
            f"a migration in web/migrations/versions/ comes after {missing}, which is not there"
        )
    heads = frozenset(revisions.keys() - before)
    if len(heads) > 1:
        raise NotPreparedError(
            f"there are several newest migrations ({', '.join(sorted(heads))}), as after a merge of branches;"
            ' join them: make flask A="db merge heads"'
        )
    reached, next_ones = heads, heads
    while next_ones:
        next_ones = frozenset[str]().union(*(revisions[one] for one in next_ones)) - reached
        reached |= next_ones
    if reached != revisions.keys():
        circle = ", ".join(sorted(revisions.keys() - reached))
        raise NotPreparedError(f"the migrations come after one another in a circle: {circle}")
    return heads, reached


def read(path: Path) -> tuple[str, set[str]]:
    """Return the revision of a migration, and those that it comes after (NotPreparedError).

    Its file says so in constants: https://alembic.sqlalchemy.org/en/latest/tutorial.html
    """
    found: dict[str, Any] = {}
    try:
        for statement in ast.parse(path.read_bytes(), path.name).body:
            if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
                continue
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = {target.id for target in targets if isinstance(target, ast.Name)}
            for name in names & {"revision", "down_revision"}:
                found[name] = ast.literal_eval(statement.value)
        return found["revision"], parents(found["down_revision"])
    except Exception as error:
        raise NotPreparedError(
            f"web/migrations/versions/{path.name} cannot be read ({error});"
            ' it is to begin with revision = "…" and down_revision = "…"'
        ) from error


def parents(before: str | Iterable[str] | None) -> set[str]:
    """Return the revisions that one comes after: none, one, or, of one that joins branches, several."""
    return {before} if isinstance(before, str) else set(before or ())
