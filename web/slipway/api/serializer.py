"""Answers that marshmallow's schemas describe, dumped without its work for each value.

What a field would turn into text that orjson writes by itself, as times, stays as it is. What is not known
here is left to the dump of the schema or the field, so that the answer is the same.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from operator import attrgetter, itemgetter
from types import FunctionType, NoneType
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, missing

from ..db.postgres_values import MayBeBeyond
from ..db.rows import Row

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
COMPUTED = (fields.Constant, fields.Function, fields.Method)  # they read no attribute
LIBRARIES = ("builtins", "marshmallow", "marshmallow_sqlalchemy", "typing")
METHODS = (FunctionType, classmethod, staticmethod, property)


class FieldsOnly:
    """A base of schemas, of whose classes it tells whether they have but fields, and so dump as those do."""

    has_methods = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        others = [base for base in cls.__mro__[1:] if not issubclass(base, FieldsOnly)]
        own = [cls, *(base for base in others if base.__module__.partition(".")[0] not in LIBRARIES)]
        members = [member for one in own for member in vars(one).values()]
        inherited = any(getattr(base, "has_methods", False) for base in cls.__bases__)
        cls.has_methods = inherited or any(isinstance(member, METHODS) for member in members)


class Page(FieldsOnly, Schema):
    """The schema of a page of a list: `items`, and the URL of the `next` page."""


def dump_of(schema: Schema) -> Callable[[Any], Any]:
    """Return a function that dumps what is to be JSON as `schema` does."""
    if isinstance(schema, Page) and dumps_fields(schema) and list(schema.dump_fields) == ["items", "next"]:
        item = dump_of(schema.fields["items"].inner.schema)  # type: ignore[attr-defined] # a list of records
        items = item.all if isinstance(item, RecordDump) else lambda records: list(map(item, records))
        return lambda page: {"items": items(page["items"]), "next": page["next"]}
    return RecordDump(schema) if is_plain(schema) else partial(dump, schema)


def is_plain(schema: Schema) -> bool:
    """Tell whether `schema` dumps attributes of records of a model, two or more as orjson, and no more."""
    named = [field.attribute or name for name, field in schema.dump_fields.items()]
    return (
        getattr(schema.opts, "model", None) is not None
        and len([field for field in schema.dump_fields.values() if native_type(field)]) > 1
        and not any("." in name for name in named)
        and dumps_fields(schema)
    )


def dumps_fields(schema: Schema) -> bool:
    """Tell whether `schema` dumps one thing at a time, and nothing but its fields."""
    return isinstance(schema, FieldsOnly) and not schema.has_methods and not schema.many


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
    """Dumps records of a schema's model, or rows of it, by the names and types that are found out once."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        names: list[str] = []
        self.keys: list[str] = []
        self.kinds: list[type] = []
        self.others: list[tuple[str, str, fields.Field[Any]]] = []
        for name, field in schema.dump_fields.items():
            key, kind = field.data_key or name, native_type(field)
            if kind is None:
                self.others.append((key, name, field))
            else:
                self.keys.append(key)
                names.append(field.attribute or name)
                self.kinds.append(kind)
        self.columns_of, self.attributes_of = itemgetter(*names), attrgetter(*names)
        self.order = [field.data_key or name for name, field in schema.dump_fields.items()]
        self.signatures: set[tuple[type, ...]] = set()

    def __call__(self, record: Any) -> Any:
        """Return what the schema makes of `record`, in values that orjson takes (TypeError)."""
        try:
            values = self.columns_of(vars(record)) if type(record) is Row else self.attributes_of(record)
        except (AttributeError, KeyError):
            return dump(self.schema, record)
        signature = tuple(map(type, values))
        if signature not in self.signatures and not self.knows(signature):
            return dump(self.schema, record)
        data = dict(zip(self.keys, values, strict=True))
        if not self.others:
            return data
        check_columns(self.schema, record)
        for key, name, field in self.others:
            data[key] = field.serialize(name, record, accessor=self.schema.get_attribute)
        return {key: data[key] for key in self.order if data[key] is not missing}

    def all(self, records: Sequence[Any]) -> list[Any]:
        """Return what the schema makes of each of `records` (TypeError)."""
        if not self.others and all(type(record) is Row for record in records):
            with suppress(KeyError):
                rows = [self.columns_of(vars(record)) for record in records]
                signatures = {tuple(map(type, row)) for row in rows}
                if all(signature in self.signatures or self.knows(signature) for signature in signatures):
                    return [dict(zip(self.keys, row, strict=True)) for row in rows]
        return [self(record) for record in records]

    def knows(self, signature: tuple[type, ...]) -> bool:
        """Tell whether values of these types are dumped so, and keep it in mind."""
        found = zip(self.kinds, signature, strict=True)
        known = all(given in (kind, NoneType) for kind, given in found)
        if known and len(self.signatures) < SIGNATURES_MAX:
            self.signatures.add(signature)
        return known


def dump(schema: Schema, record: Any) -> Any:
    """Return what `schema` makes of `record`, by marshmallow (TypeError)."""
    check_columns(schema, record)
    return schema.dump(record)


def check_columns(schema: Schema, record: Any) -> None:
    """Raise TypeError if `record` is a row, and `schema` has a field that is no column of it."""
    if not isinstance(record, Row):
        return
    for name, field in schema.dump_fields.items():
        column = (field.attribute or name).partition(".")[0]
        if column not in vars(record) and not isinstance(field, COMPUTED):
            raise TypeError(
                f"{type(schema).__name__} dumps {column}, which a row has not: read by db.session"
            )
