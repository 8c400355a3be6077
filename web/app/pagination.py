"""Keyset pagination: the last page of a million rows costs what the first does.

https://use-the-index-luke.com/no-offset
"""

import base64
import binascii
import re
from typing import Any
from urllib.parse import urlencode

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, scoped_session

from .converters import BIGINT_MAX

LIMIT = 20
LIMIT_MAX = 100
CURSOR_BYTES = 9  # a multiple of three, so that base64 needs no padding


class Limit(fields.Integer):
    """A number in plain digits: int() takes blanks, underscores and the digits of other scripts too."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not re.fullmatch("[0-9]{1,9}", str(value), re.ASCII):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class Cursor(fields.Field[int]):
    """The id of the last record of a page, in base64url."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        try:
            raw = base64.b64decode(value.encode("ascii"), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        after = int.from_bytes(raw)
        if len(raw) != CURSOR_BYTES or after > BIGINT_MAX:
            raise ValidationError("Not a cursor of this list.")
        return after


def cursor(record_id: int) -> str:
    """Return the cursor that stands for the page after the record `record_id`."""
    return base64.urlsafe_b64encode(record_id.to_bytes(CURSOR_BYTES)).decode("ascii")


class PageArguments(Schema):
    """What the query of a list may hold."""

    class Meta:
        unknown = EXCLUDE

    limit = Limit(
        load_default=LIMIT,
        validate=validate.Range(1, LIMIT_MAX),
        metadata={"description": "How many items a page has."},
    )
    after = Cursor(
        load_default=None,
        metadata={
            "type": "string",
            "pattern": "^A[A-H][A-Za-z0-9_-]{10}$",
            "description": "The cursor in the `next` of the page before.",
        },
    )


def paginate(
    session: scoped_session[Any],
    statement: Select[Any],
    key: InstrumentedAttribute[int],
    *,
    limit: int,
    after: int | None,
) -> dict[str, Any]:
    """Return a page of `statement`, newest (highest `key`) first: {"items": [...], "next": URL or None}.

    `next` is the URL of this request with another cursor.
    """
    if after is not None:
        statement = statement.where(key < after)
    rows = session.scalars(statement.order_by(key.desc()).limit(limit + 1)).all()
    items = rows[:limit]
    more = len(rows) > limit
    return {"items": items, "next": page_url(cursor(getattr(items[-1], key.key))) if more else None}


def page_url(after: str) -> str:
    """Return the URL of this request's list, from the cursor `after` on."""
    return f"{request.root_path}{request.path}?{urlencode(request.args.to_dict() | {'after': after})}"
