"""Answers that marshmallow's schemas describe, dumped without its work for each value.

What a field would turn into text that orjson writes by itself, as times, stays as it is. What is not known
here is left to the dump of the schema or the field, so that the answer is the same.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from types import NoneType
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, missing
from marshmallow.decorators import POST_DUMP, PRE_DUMP

from .beyond import MayBeBeyond
from .rows import Rows

# The fields that dump values of a type as orjson does.
NATIVE: list[tuple[type[fields.Field[Any]], type]] = [
    (fields.Boolean, bool),
    (fields.Integer, int),
    (fields.Float, float),
    (fields.UUID, UUID),
    (fields.String, str),
    (fields.DateTime, dt.datetime),
    (fields.Date, dt.date),
]
SIGNATURES_MAX = 1000


class Page(Schema):
    """The schema of a page of a list: `items`, and the URL of the `next` page."""


def dump_of(schema: Schema) -> Callable[[Any], Any]:
    """Return a function that dumps what is to be JSON as `schema` does."""
    if isinstance(schema, Page) and is_untouched(schema) and list(schema.dump_fields) == ["items", "next"]:
        item = dump_of(schema.fields["items"].inner.schema)  # type: ignore[attr-defined] # a list of records
        items = item.all if isinstance(item, RecordDump) else lambda records: list(map(item, records))
        return lambda page: {"items": items(page["items"]), "next": page["next"]}
    return RecordDump(schema) if is_plain(schema) else schema.dump


def is_plain(schema: Schema) -> bool:
    """Tell whether `schema` dumps the attributes of records of a model, and does nothing else."""
    named = [field.attribute or name for name, field in schema.dump_fields.items()]
    return (
        getattr(schema.opts, "model", None) is not None
        and len(named) > 1
        and not any("." in name for name in named)
        and all(field._CHECK_ATTRIBUTE for field in schema.dump_fields.values())
        and is_untouched(schema)
    )


def is_untouched(schema: Schema) -> bool:
    """Tell whether `schema` dumps one thing at a time, and as marshmallow does."""
    names = ("dump", "_serialize", "get_attribute")
    ways = all(getattr(type(schema), name) is getattr(Schema, name) for name in names)
    return ways and not schema._hooks[PRE_DUMP] and not schema._hooks[POST_DUMP] and not schema.many


def native_type(field: fields.Field[Any]) -> type | None:
    """Return the type whose values `field` dumps as orjson does; None where it may do otherwise."""
    own = type(field)
    for known, kind in NATIVE:
        if isinstance(field, known):
            same = (known._serialize, MayBeBeyond._serialize)
            changed = own._serialize not in same or own.serialize is not fields.Field.serialize
            formatted = getattr(field, "as_string", False) or getattr(field, "format", None) not in (
                None,
                "iso",
            )
            return None if changed or formatted else kind
    return None


class RecordDump:
    """Dumps records of a schema's model, by the names and types that are found out once."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        found = schema.dump_fields.items()
        self.keys = [field.data_key or name for name, field in found]
        self.kinds = [native_type(field) for _, field in found]
        names = [field.attribute or name for name, field in found]
        self.names = names
        self.values_of = attrgetter(*names)
        self.loaded_of = itemgetter(*names)
        self.others = [
            (key, *it) for key, it, kind in zip(self.keys, found, self.kinds, strict=True) if kind is None
        ]
        self.signatures: set[tuple[type, ...]] = set()

    def __call__(self, record: Any) -> Any:
        """Return what the schema makes of `record`, in values that orjson takes."""
        if not isinstance(record, self.schema.opts.model):
            return self.schema.dump(record)
        try:
            values = self.loaded_of(record.__dict__)
        except KeyError:
            try:
                values = self.values_of(record)
            except AttributeError:
                return self.schema.dump(record)
        signature = tuple(map(type, values))
        if signature not in self.signatures and not self.knows(signature):
            return self.schema.dump(record)
        data = dict(zip(self.keys, values, strict=True))
        for key, name, field in self.others:
            value = field.serialize(name, record, accessor=self.schema.get_attribute)
            if value is missing:
                del data[key]
            else:
                data[key] = value
        return data

    def all(self, records: Sequence[Any]) -> list[Any]:
        """Return what the schema makes of each of `records`."""
        found = None
        if isinstance(records, Rows) and not self.others:
            found = records.values(self.names, self.schema.opts.model)
        if found is not None:
            rows = list(found)
            signatures = {tuple(map(type, row)) for row in rows}
            if all(signature in self.signatures or self.knows(signature) for signature in signatures):
                return [dict(zip(self.keys, row, strict=True)) for row in rows]
        return [self(record) for record in records]

    def knows(self, signature: tuple[type, ...]) -> bool:
        """Tell whether values of these types are dumped so, and keep it in mind."""
        found = zip(self.kinds, signature, strict=True)
        known = all(kind in (None, given) or given is NoneType for kind, given in found)
        if known and len(self.signatures) < SIGNATURES_MAX:
            self.signatures.add(signature)
        return known
