"""What the query of a list may hold: which page, in which order, of which records, by what is indexed."""

import binascii
import re
from copy import deepcopy
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, missing, post_load, pre_load, validate
from sqlalchemy import Index, Table, UniqueConstraint

from .fields import from_text, unstorable
from .pagination import LIMIT, read_cursor
from .search import search_of

LIMIT_MAX = 100
NEWEST_FIRST = "-id"
# What an empty query loads; of a class that query_of has made, and not of one that is derived from it.
OF_NOTHING = "of_nothing"


class Limit(fields.Integer):
    """A number in plain digits: int() takes blanks, underscores and the digits of other scripts too."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not re.fullmatch("[0-9]{1,9}", str(value), re.ASCII):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class ListArguments(Schema):
    """What the query of a list may hold; `query_of` adds what its model is indexed by."""

    class Meta:
        unknown = EXCLUDE

    by: dict[str, fields.Field[Any]] = {}  # what the list is sorted and filtered by
    unindexed: frozenset[str] = frozenset()

    limit = Limit(
        load_default=LIMIT,
        validate=validate.Range(1, LIMIT_MAX),
        metadata={"description": "How many items a page has."},
    )
    after = fields.String(
        load_default=None, metadata={"description": "The cursor in the `next` of the page before."}
    )

    def load(self, data: Any, **options: Any) -> Any:
        """Return what the query `data` asks for (ValidationError)."""
        if not data and OF_NOTHING in vars(type(self)):
            return dict(vars(type(self))[OF_NOTHING])
        return super().load(data, **options)

    @pre_load
    def read_texts(self, data: Any, **_: Any) -> dict[str, Any]:
        """Give each filter the shape that its field loads; refuse what comes twice, or has no index."""
        given = data.to_dict(flat=False) if hasattr(data, "to_dict") else data
        errors = {
            name: ["Lists are not filtered by this: it has no index."]
            for name in given
            if name in self.unindexed
        }
        plain: dict[str, Any] = {}
        for name in given.keys() & self.load_fields.keys():
            first, *more = given[name] if isinstance(given[name], list) else [given[name]]
            plain[name] = from_text(self.load_fields[name], first)
            if more:
                errors[name] = ["Given more than once."]
            elif unstorable(first):
                errors[name] = ["Not storable text."]
        if errors:
            raise ValidationError(errors)
        return plain

    @post_load
    def read_after(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Read the cursor, which is one of the list in this order."""
        if data["after"] is not None:
            try:
                data["after"] = read_cursor(
                    data["after"], data["sort"], self.by.get(data["sort"].removeprefix("-"))
                )
            except (ValueError, TypeError, RecursionError, binascii.Error, ValidationError) as error:
                raise ValidationError({"after": ["Not a cursor of this list."]}) from error
        return data


def query_of(schema: type[Schema]) -> type[ListArguments]:
    """Return the schema of the query of a list of `schema`: it filters by what is indexed."""
    table: Table = schema.Meta.model.__table__  # type: ignore[attr-defined] # of a schema with a model
    known = schema().fields
    by = {name: known[name] for name in indexed(table) if name in known and name != "id"}
    orders = [order for name in ("id", *by) for order in (name, f"-{name}")]
    members: dict[str, Any] = {
        "by": {name: unvalidated(field) for name, field in by.items()},
        "unindexed": frozenset(known) - by.keys(),
        "sort": fields.String(
            load_default=NEWEST_FIRST,
            validate=validate.OneOf(orders),
            metadata={"description": "The order: ascending, or descending (-); null comes last."},
        ),
        **{name: filter_field(field) for name, field in by.items()},
    }
    if search_of(table) is not None:
        members["q"] = fields.String(
            validate=validate.Length(1, 100),
            metadata={"description": "Words that a record has, or begins to."},
        )
    query = type(schema.__name__.removesuffix("Schema") + "Query", (ListArguments,), members)
    setattr(query, OF_NOTHING, query().load({}))
    return query


def filter_field(field: fields.Field[Any]) -> fields.Field[Any]:
    """Return `field` as one that may be left out."""
    field = deepcopy(field)
    field.required, field.allow_none, field.load_default = False, False, missing
    return field


def unvalidated(field: fields.Field[Any]) -> fields.Field[Any]:
    """Return `field` as one that reads what is stored already, whether clients may send that or not."""
    field = deepcopy(field)
    field.validators = []
    return field


def indexed(table: Table) -> list[str]:
    """Return the columns that an index of `table` begins with, leaving out whose the records are."""
    found = {first_of(rule) for rule in table.indexes if serves_all(rule)}
    found |= {first_of(rule) for rule in table.constraints if isinstance(rule, UniqueConstraint)}
    return [column.key for column in table.columns if column.key in found]


def serves_all(index: Index) -> bool:
    """Tell whether `index` is a B-tree of all the records."""
    options = index.dialect_options["postgresql"]
    return not options["using"] and options["where"] is None


def first_of(rule: Index | UniqueConstraint) -> str:
    """Return the first column of `rule`, or the next where that is the owner; "" where there is none."""
    names = [column.key for column in rule.columns]
    return next(iter(names[1:] if names[:1] == ["owner_id"] else names), "")
