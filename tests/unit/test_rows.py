"""A list of records stays rows where it is only to be JSON, and nobody can tell."""

import json
from collections.abc import Iterator
from copy import copy, deepcopy
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect, select, update
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from app.encoding import Provider
from app.extensions import db, paginate
from app.light import Plan, make_plan
from app.native import dump_of
from app.notes.models import Note
from app.notes.schemas import NotePage
from app.rows import Rows
from app.schemas import page_of
from tests.unit.specimens import VALUES, Specimen, SpecimenSchema
from tests.unit.test_native import APP, Derived

SECOND = select(Note).where(Note.title == "two")
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
        assert page_as_json(schema, Rows.of(plan, one, rows)) == page_as_json(schema, records)


def newest() -> Any:
    """Return the three newest notes."""
    return paginate(db.session, db.select(Note), limit=3, after=None, sort="-id")["items"]


@pytest.fixture
def notes(app: Flask) -> Flask:
    """An app with three notes, whose list has a plan, as the second has."""
    with app.app_context():
        db.session.add_all([Note(title="one"), Note(title="two"), Note(title="three")])
        db.session.commit()
    for _ in range(2):
        with app.test_request_context():
            newest()
            second()
    return app


@pytest.fixture
def items(notes: Flask) -> Iterator[Rows]:
    """The items of a list of three notes, in a request."""
    with notes.test_request_context():
        items = newest()
        assert isinstance(items, Rows)
        yield items


def dumped(items: Any) -> list[str]:
    """Return the titles in the JSON of a page of `items`."""
    return [note["title"] for note in dump_of(NotePage())({"items": items, "next": None})["items"]]


def titles(items: Any) -> list[str]:
    """Return the titles of `items`."""
    return [note.title for note in items]


def second() -> Note:
    """Return the second note, which the session may know."""
    return db.session.scalars(SECOND).one()


def test_list_that_becomes_json_makes_no_records(notes: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plan, "records", None)
    answer = notes.test_client().get("/api/notes?limit=2")
    assert [note["title"] for note in answer.json["items"]] == ["three", "two"]


def test_items_are_records_of_the_session(items: Rows) -> None:
    assert titles(items) == ["three", "two", "one"]
    assert all(inspect(note).session is db.session() for note in items)
    assert db.session.get(Note, items[0].id) is items[0]


def test_items_of_which_the_session_knows_some_are_a_list(notes: Flask) -> None:
    with notes.test_request_context():
        known = second()
        items = newest()
        assert isinstance(items, list)
        assert items[1] is known


def test_items_are_asked_for_by_any_session(notes: Flask) -> None:
    with notes.test_request_context():
        other = scoped_session(sessionmaker(db.engine))
        page = paginate(other, select(Note), limit=3, after=None, sort="-id")
        assert [inspect(note).session for note in page["items"]] == [other()] * 3
        other.remove()


def test_items_are_a_list(items: Rows) -> None:
    assert titles(items[1:]) == ["two", "one"]
    assert items[-1].title == "one"
    assert not items[3:]
    assert titles(items + items[:1]) == ["three", "two", "one", "three"]
    items.sort(key=lambda note: note.id)
    items.append(items.pop(0))
    assert titles(items) == ["two", "three", "one"]
    assert items == list(items)


@pytest.mark.parametrize("copied", [copy, deepcopy, Rows.copy])
def test_items_are_copied(items: Rows, copied: Any) -> None:
    assert titles(copied(items)) == ["three", "two", "one"]


def test_part_of_a_list_is_of_the_same_records(items: Rows) -> None:
    part = items[1:]
    part[0].title = "changed"
    assert items[1] is part[0]
    assert dumped(items) == ["three", "changed", "one"]


def test_item_that_is_deleted_from_the_list_is_not_dumped(items: Rows) -> None:
    del items[1]
    assert len(items) == 2
    assert dumped(items) == ["three", "one"]
    assert titles(items) == ["three", "one"]


def test_change_of_an_item_is_dumped(items: Rows) -> None:
    items[0].title = "changed"
    assert dumped(items) == ["changed", "two", "one"]


def test_change_of_a_record_that_is_an_item_too_is_dumped(items: Rows) -> None:
    second().title = "changed"
    with db.session.no_autoflush:
        assert dumped(items) == ["three", "changed", "one"]


def change_and_forget() -> None:
    second().title = "changed"
    db.session.flush()


def change_by_a_statement() -> None:
    db.session.execute(update(Note).where(Note.title == "two").values(title="changed"))


def change_by_a_statement_that_returns() -> None:
    statement = update(Note).where(Note.title == "two").values(title="changed").returning(Note.id)
    assert db.session.scalars(statement).one()


def change_unseen_and_expire() -> None:
    with db.engine.begin_nested():  # type: ignore[attr-defined] # of tests: a connection
        db.engine.execute(update(Note.__table__).values(title="changed"))  # type: ignore[attr-defined] # likewise
    db.session.expire_all()


def change_and_roll_back() -> None:
    second().title = "changed"
    db.session.flush()
    db.session.rollback()


def delete() -> None:
    db.session.delete(second())
    db.session.flush()


def add() -> None:
    db.session.add(Note(title="four"))
    db.session.flush()


@pytest.mark.parametrize(
    "happening",
    [
        change_and_forget,
        change_by_a_statement,
        change_by_a_statement_that_returns,
        change_unseen_and_expire,
        change_and_roll_back,
        delete,
        add,
        newest,
        lambda: db.session.expunge_all(),
        lambda: db.session.close(),
        lambda: db.session.remove(),
    ],
)
def test_list_that_nobody_looked_at_is_dumped_as_one_of_records(notes: Flask, happening: Any) -> None:
    def titles_after(looked: bool) -> list[str]:
        with notes.test_request_context():
            items = newest()
            if looked:
                titles(items)
            happening()
            found = dumped(items)
            assert isinstance(items, Rows)
            assert not looked or items.are_records
            db.session.rollback()
            return found

    assert titles_after(looked=False) == titles_after(looked=True)


@pytest.mark.parametrize("end", [lambda: db.session.close(), lambda: db.session.expunge_all()])
def test_list_that_outlives_its_session_is_of_none(items: Rows, end: Any) -> None:
    end()
    assert titles(items) == ["three", "two", "one"]
    assert inspect(items[0]).session is None


def test_rows_of_another_model_are_left_to_the_schema(items: Rows) -> None:
    assert items.values(["id", "title"], Specimen) is None


def test_attribute_that_is_no_column_is_asked_of_the_records(items: Rows) -> None:
    assert items.values(["id", "__tablename__"], Note) is None
