"""Values that Postgres has and Python has not: times before year 1, after 9999, infinite, and 24:00.

They are read as the text that Postgres writes for them: https://www.postgresql.org/docs/current/datatype-datetime.html
psycopg2 raises an error for some, and makes others into another value.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from marshmallow import fields
from psycopg2 import extensions

OFFSET = r"[+-]\d\d(:\d\d){0,2}"
AFTER_YEAR = rf"-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{{1,6}})?({OFFSET})?)?"
TEXT = re.compile(
    rf"\d{{4,7}}{AFTER_YEAR} BC|\d{{5,7}}{AFTER_YEAR}|24:00:00({OFFSET})?|-?inf(inity)?|nan",
    re.ASCII | re.IGNORECASE,
)
# By the OIDs of pg_type: of a type, and of the arrays of it.
TYPES: list[tuple[str, int, int, Callable[[str], Any]]] = [
    ("TIMESTAMPTZ", 1184, 1185, dt.datetime.fromisoformat),
    ("TIMESTAMP", 1114, 1115, dt.datetime.fromisoformat),
    ("DATE", 1082, 1182, dt.date.fromisoformat),
    ("TIME", 1083, 1183, dt.time.fromisoformat),
    ("TIMETZ", 1266, 1270, dt.time.fromisoformat),
]


class Beyond(str):
    """The text of such a value."""

    __slots__ = ()


class MayBeBeyond(fields.Field[Any]):
    """A field that may have such a value, which it dumps as the text."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return str(value) if isinstance(value, Beyond) else super()._serialize(value, attr, obj, **kwargs)


def is_beyond(text: object) -> bool:
    """Tell whether `text` stands for such a value, or for a number that is none or infinite."""
    return isinstance(text, str) and TEXT.fullmatch(text) is not None


def reader(read: Callable[[str], Any]) -> Callable[[str | None, Any], Any]:
    """Return a typecaster of psycopg2 that reads by `read` what Python has."""

    def cast(text: str | None, _: Any) -> Any:
        if text is None:
            return None
        try:
            # From Python 3.14 on, 24:00 is read as 00:00.
            return Beyond(text) if text.startswith("24:") else read(text)
        except ValueError:
            return Beyond(text)

    return cast


def register() -> None:
    """Have psycopg2 read times so."""
    for name, oid, array, read in TYPES:
        kind = extensions.new_type((oid,), name, reader(read))
        extensions.register_type(kind)
        extensions.register_type(extensions.new_array_type((array,), f"{name}[]", kind))
