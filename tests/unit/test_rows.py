"""A list of records stays rows where it is only to be JSON, and nobody can tell."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect, select
from sqlalchemy.orm import Session

from app.encoding import Provider
from app.extensions import db, paginate
from app.light import Plan, Rows, make_plan
from app.native import dump_of
from app.notes.models import Note
from app.notes.schemas import NotePage
from app.schemas import page_of
from tests.unit.test_native import APP, VALUES, Derived, Specimen, SpecimenSchema

NATIVE = ("id", "name", "count", "weight", "found", "key", "day", "moment")
SPECIMENS = st.fixed_dictionaries(
    {name: values | st.none() for name, values in VALUES.items()} | {"id": VALUES["id"]}
)


class NativeSchema(SpecimenSchema):
    class Meta:
        model = Specimen
        fields = NATIVE


@pytest.fixture(scope="module")
def plan() -> Plan:
    """How specimens are read."""
    made = make_plan(select(Specimen), create_engine("postgresql+psycopg2://"))
    assert made is not None
    return made


def page_as_json(schema: Any, items: Any) -> Any:
    """Return the page of `items` as a client gets it."""
    return json.loads(Provider(APP).encode(dump_of(page_of(schema)())({"items": items, "next": None})))


@pytest.mark.parametrize("schema", [NativeSchema, SpecimenSchema, Derived])
@given(specimens=st.lists(SPECIMENS, max_size=3, unique_by=lambda values: values["id"]))
def test_rows_are_dumped_as_their_records_are(
    plan: Plan, schema: Any, specimens: list[dict[str, Any]]
) -> None:
    rows = [tuple(values[key] for key in plan.keys) for values in specimens]
    with Session() as one, Session() as other:
        records = plan.records(other, rows)
        assert page_as_json(schema, Rows(plan, one, rows)) == page_as_json(schema, records)


def newest() -> Any:
    """Return the three newest notes."""
    return paginate(db.session, db.select(Note), limit=3, after=None, sort="-id")["items"]


@pytest.fixture
def items(app: Flask) -> Iterator[Rows]:
    """The items of a list of three notes, in a request."""
    with app.app_context():
        db.session.add_all([Note(title="one"), Note(title="two"), Note(title="three")])
        db.session.commit()
    for _ in range(2):  # until there is a plan
        with app.test_request_context():
            newest()
    with app.test_request_context():
        items = newest()
        assert isinstance(items, Rows)
        yield items


def dumped(items: Any) -> list[str]:
    """Return the titles in the JSON of a page of `items`."""
    return [note["title"] for note in dump_of(NotePage())({"items": items, "next": None})["items"]]


def test_list_that_becomes_json_makes_no_records(items: Rows) -> None:
    assert dumped(items) == ["three", "two", "one"]
    assert len(db.session.identity_map) == 0


def test_items_are_records_of_the_session(items: Rows) -> None:
    assert [note.title for note in items] == ["three", "two", "one"]
    assert all(inspect(note).session is db.session() for note in items)
    assert db.session.get(Note, items[0].id) is items[0]


def test_items_are_a_sequence(items: Rows) -> None:
    assert [note.title for note in items[1:]] == ["two", "one"]
    assert items[-1].title == "one"
    assert [note.title for note in items[:2]] == ["three", "two"]
    assert len(items[1:]) == 2
    assert not items[3:]


def test_change_of_an_item_is_dumped(items: Rows) -> None:
    items[0].title = "changed"
    assert dumped(items) == ["changed", "two", "one"]


def test_change_of_an_item_that_the_session_has_forgotten_is_dumped(items: Rows) -> None:
    items[0].title = "changed"
    db.session.expunge_all()
    assert dumped(items) == ["changed", "two", "one"]


def test_change_of_a_record_that_is_an_item_too_is_dumped(items: Rows) -> None:
    db.session.scalars(select(Note).where(Note.title == "two")).one().title = "changed"
    with db.session.no_autoflush:
        assert dumped(items) == ["three", "changed", "one"]


def test_rows_of_another_model_are_left_to_the_schema(items: Rows) -> None:
    assert items.values(["id", "title"], Specimen) is None


def test_attribute_that_is_no_column_is_asked_of_the_records(items: Rows) -> None:
    assert items.values(["id", "__tablename__"], Note) is None
