"""Keyset pagination: the last page of a million rows costs what the first does, in every order.

A page begins after the last record of the one before, by value and id: https://use-the-index-luke.com/no-offset
"""

import base64
import json
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from flask import request
from marshmallow import fields
from sqlalchemy import Select, bindparam, literal_column, tuple_
from sqlalchemy.orm import scoped_session

from ..db.postgres_values import MayBeBeyond, is_beyond
from ..db.rows import Rows
from ..http.converters import BIGINT_MAX
from .fields import unstorable
from .search import beginnings, matches, search_of


class Position(NamedTuple):
    """Where a page begins: after the record with the id, and with the value that the list is sorted by."""

    value: Any
    id: Any


class Shape(NamedTuple):
    """What the statements of a list depend on; the rest are values.

    `begins` says where: "first", after a record "with" a value, or after one "without". `limit` is how many
    records are read, and None where that is a value too. For one that it knows Postgres keeps a plan; of one
    that it does not it expects a tenth of the table, and plans each time:
    https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES
    """

    sort: str
    begins: str
    filters: tuple[str, ...]
    searched: bool
    limit: int | None


LIMIT = 20  # records of a page, unless a client says otherwise
SHAPES_MAX = 100  # of a statement; clients choose them

# By the statement that a view gives, for as long as that is kept.
BUILT: WeakKeyDictionary[Select[Any], dict[Shape, list[Select[Any]]]] = WeakKeyDictionary()


def cursor(sort: str, value: Any, record_id: int) -> str:
    """Return the cursor that stands for the page after a record of a list that is sorted by `sort`."""
    text = JSON.encode([sort, value, record_id])
    return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")


def plain(value: Any) -> str:
    """Return a value that JSON does not have as its field takes it."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=plain)


def read_cursor(text: str, sort: str, field: fields.Field[Any] | None) -> Position:
    """Return the position that `text` stands for in a list that is sorted by `sort` (ValueError)."""
    raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    found, value, record_id = json.loads(raw)
    if found != sort or type(record_id) is not int or not 0 < record_id <= BIGINT_MAX or unstorable(value):
        raise ValueError
    if field is None or (value is None and field.allow_none):
        position = Position(None, record_id)
    elif is_read_as_it_is(field, value):
        position = Position(value, record_id)
    else:
        position = Position(field.deserialize(value), record_id)
    if cursor(sort, position.value, record_id) != text:
        raise ValueError
    return position


def is_read_as_it_is(field: fields.Field[Any], value: Any) -> bool:
    """Tell whether `value` is one that the column of `field` may have, and that no client may send."""
    if isinstance(field, fields.Float):
        return isinstance(value, float)
    return isinstance(field, MayBeBeyond | fields.Decimal) and is_beyond(value)


def paginate(
    source: scoped_session[Any] | Rows,
    statement: Select[Any],
    /,
    *,
    limit: int,
    after: Position | None,
    sort: str,
    q: str | None = None,
    **filters: Any,
) -> dict[str, Any]:
    """Return a page of what `statement` selects: {"items": [...], "next": URL or None}.

    Of `db.session` the items are records, of `db.rows` rows. `next` is the URL of this request with another
    cursor.
    """
    if isinstance(source, Rows):
        statement = source.select(statement)
    begins = "first" if after is None else "without" if after.value is None else "with"
    nulls = [name for name, value in filters.items() if value is None]
    if nulls:
        statement = statement.filter_by(**{name: filters.pop(name) for name in nulls})
    values = {f"filter_{name}": value for name, value in filters.items()}
    if after is not None:
        values |= {"after_value": after.value, "after_id": after.id}
    if q is not None:
        values["words"] = beginnings(q)
    most = limit + 1  # of which the last tells that there is a next page
    if limit != LIMIT:
        values["limit"] = most
    shape = Shape(sort, begins, tuple(filters), q is not None, most if limit == LIMIT else None)
    items: list[Any] = []
    for part in built(statement, shape):
        if len(items) <= limit:
            items += source.all(part, values) if isinstance(source, Rows) else source.scalars(part, values)
    if len(items) <= limit:
        return {"items": items, "next": None}
    del items[limit:]
    name = sort.removeprefix("-")
    value = None if name == "id" else getattr(items[-1], name)
    return {"items": items, "next": query_url(after=cursor(sort, value, items[-1].id))}


def built(statement: Select[Any], shape: Shape) -> list[Select[Any]]:
    """Return the statements of a list of `statement`, whose parameters are named by what they are."""
    known = BUILT.setdefault(statement, {})
    parts = known.get(shape) or build(statement, shape)
    if len(known) < SHAPES_MAX:
        known[shape] = parts
    return parts


def build(statement: Select[Any], shape: Shape) -> list[Select[Any]]:
    """Build what `built` keeps."""
    model = statement.column_descriptions[0]["entity"]
    for name in shape.filters:
        column = getattr(model, name)
        statement = statement.where(column == bindparam(f"filter_{name}", type_=column.type))
    if shape.searched:
        statement = statement.where(matches(search_of(model.__table__), bindparam("words")))  # type: ignore[arg-type] # there is one, as there is a q
    after = None
    if shape.begins != "first":
        with_value = shape.begins == "with" and shape.sort.removeprefix("-") != "id"
        sorted_by = getattr(model, shape.sort.removeprefix("-"))
        value = bindparam("after_value", type_=sorted_by.type) if with_value else None
        after = Position(value, bindparam("after_id", type_=model.id.type))
    most: Any = bindparam("limit") if shape.limit is None else literal_column(str(shape.limit))
    return [part.limit(most) for part in parts(statement, model, shape.sort, after)]


def parts(statement: Select[Any], model: Any, sort: str, after: Position | None) -> list[Select[Any]]:
    """Return the statements that one after the other yield what comes `after`.

    Those without a value, which come last, are a statement of their own: so one index serves both directions.
    """
    descending, column = sort.startswith("-"), getattr(model, sort.removeprefix("-"))

    def ordered(statement: Select[Any], columns: list[Any], position: tuple[Any, ...] | None) -> Select[Any]:
        if position is not None:
            here = tuple_(*columns)
            there = tuple_(*position, types=[column.type for column in columns])
            statement = statement.where(here < there if descending else here > there)
        return statement.order_by(*(c.desc() if descending else c.asc() for c in columns))

    if column.key == "id":
        return [ordered(statement, [column], after and (after.id,))]
    with_value, without = [], []
    if after is None or after.value is not None:
        with_value.append(ordered(statement.where(column.is_not(None)), [column, model.id], after))
    if column.property.columns[0].nullable:
        position = (after.id,) if after is not None and after.value is None else None
        without.append(ordered(statement.where(column.is_(None)), [model.id], position))
    return with_value + without


def query_url(**changes: str) -> str:
    """Return the URL of this request's list with `changes` to its query, from its first page on."""
    kept = {name: value for name, value in request.args.items() if value and name != "after"}
    query = urlencode(kept | changes)
    return f"{request.root_path}{request.path}{'?' if query else ''}{query}"
