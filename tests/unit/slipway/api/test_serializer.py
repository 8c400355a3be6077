"""Answers are dumped as marshmallow dumps them."""

import datetime as dt
import json
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema as PlainSchema
from marshmallow import fields, post_dump

from slipway.api.json_provider import Provider
from slipway.api.schema import Schema, page_of
from slipway.api.serializer import dump_of
from tests.unit.slipway.specimens import VALUES, Specimen, SpecimenSchema

# What a field may be given by mistake, which marshmallow turns into its type.
ODD = st.integers(0, 9) | st.integers(0, 9).map(str) | st.booleans()


APP = Flask("app")  # which its provider of JSON only refers to
SPECIMENS: Schema = SpecimenSchema()  # type: ignore[no-untyped-call] # marshmallow-sqlalchemy's


def same(schema: PlainSchema, value: Any) -> bool:
    """Tell whether `value` becomes the JSON that marshmallow's dump of it is."""
    expected = json.dumps(schema.dump(value), default=Provider.default)
    return bool(json.loads(Provider(APP).encode(dump_of(schema)(value))) == json.loads(expected))


@given(st.fixed_dictionaries({name: values | st.none() for name, values in VALUES.items()}))
def test_record_is_dumped_as_marshmallow_does(values: dict[str, Any]) -> None:
    assert same(SPECIMENS, Specimen(**values))


@given(st.fixed_dictionaries({name: VALUES[name] | ODD for name in ("id", "name", "count", "weight")}))
def test_record_with_values_of_other_types_is_dumped_as_marshmallow_does(values: dict[str, Any]) -> None:
    assert same(SPECIMENS, Specimen(**values))


def test_record_is_dumped_without_marshmallow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields.Field, "get_value", lambda *_: pytest.fail("asked"))
    schema = SpecimenSchema(exclude=["price", "details", "hour"])  # type: ignore[no-untyped-call] # marshmallow-sqlalchemy's
    assert dump_of(schema)(Specimen(id=1, name="a"))["name"] == "a"


def test_page_is_dumped_as_marshmallow_does() -> None:
    records = [Specimen(id=1, moment=dt.datetime.now(dt.UTC)), Specimen(id=2)]
    assert same(page_of(SpecimenSchema)(), {"items": records, "next": "/next"})


def test_page_is_dumped_without_marshmallow() -> None:
    [item] = dump_of(page_of(SpecimenSchema)())({"items": [Specimen(day=dt.date.min)], "next": None})["items"]
    assert item["day"] is dt.date.min


def test_what_is_no_record_is_dumped_by_the_schema() -> None:
    assert same(SPECIMENS, {"id": 1, "name": "a"})


class Hooked(SpecimenSchema):
    @post_dump
    def add(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"more": True}


class Shouting(fields.String):
    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return str(value).upper()


class Custom(Schema):
    class Meta:
        model = Specimen
        exclude = ("name",)

    loud = Shouting(attribute="name", data_key="title")
    moment = fields.DateTime(format="%Y")


class Computed(SpecimenSchema):
    made = fields.Method("make")

    def make(self, specimen: Specimen) -> str:
        return f"made of {specimen.name}"


class Deep(SpecimenSchema):
    year = fields.Integer(attribute="moment.year")


class Derived(SpecimenSchema):
    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        return "always" if attr == "name" else super().get_attribute(obj, attr, default)


class Adding(PlainSchema):
    @post_dump
    def add(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"more": True}


class Mixed(SpecimenSchema, Adding):
    """Takes a method from a schema of marshmallow's."""


class OfNothing(Schema):
    class Meta:
        model = Specimen


class Both(OfNothing, Hooked):  # type: ignore[misc] # each has a Meta
    """Takes a method from its second base."""


@pytest.mark.parametrize("kind", [Hooked, Custom, Computed, Deep, Derived, Mixed, Both])
def test_schema_with_ways_of_its_own_is_dumped_so(kind: type[Schema]) -> None:
    record = Specimen(id=1, name="a", moment=dt.datetime(2026, 1, 31, tzinfo=dt.UTC))
    assert same(kind(), record)


class Missing(SpecimenSchema):
    nowhere = fields.Integer()
    given = fields.Integer(dump_default=3)


class Longer(page_of(SpecimenSchema)):  # type: ignore[misc] # made at run time
    total = fields.Integer()


def test_attribute_that_is_not_there_is_left_out() -> None:
    schema: Schema = Missing()  # type: ignore[no-untyped-call] # as above
    assert same(schema, Specimen(id=1))


def test_page_with_more_is_dumped_whole() -> None:
    assert same(Longer(), {"items": [Specimen(id=1)], "next": None, "total": 1})
