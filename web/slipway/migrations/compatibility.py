"""`db suits`: whether older code can run on the schema that the database has now; asked before a rollback."""

from collections.abc import Collection
from pathlib import Path

from .history import connected, heads, reached, walk
from .state import NotPreparedError
from .upgrade import is_compatible


class UnsuitedError(Exception):
    """Code from before would fail on the schema; the message says for what."""


def refuse_unsuited(revisions: Collection[str]) -> None:
    """Raise UnsuitedError where code whose newest migrations are `revisions` would fail on the schema.

    NotPreparedError says why this code cannot tell: it may be too old.
    """
    scripts, had = walk(), heads(connected())
    known = {script.revision for script in scripts}
    for revision in had:
        if revision not in known:
            raise NotPreparedError(
                f"the database has had the migration {revision}, which this code does not have"
            )
    for revision in revisions:
        if revision not in known:
            raise NotPreparedError(f"revision {revision} is not known to this code")
    since = reached(had) - reached(revisions)
    for script in scripts:
        if script.revision in since and not is_compatible(script):
            raise UnsuitedError(
                f"{Path(script.path).name} is not backward compatible, and the database has had it;"
                " code from before it would fail"
            )
