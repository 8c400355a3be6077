"""What the forms of every module do alike, with notes as the example."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields
from werkzeug.test import TestResponse

from app.extensions import choices, db
from app.notes.models import Note
from slipway.api.fields import Boolean, DateTime, Decimal, Integer, Json, Time
from slipway.html.forms import CHOICES_MAX, load_form, shown_default, stored_values
from tests.unit.app.notes.conftest import make_note, store_note
from tests.unit.forms import csrf_token
from tests.unit.slipway.specimens import VALUES, Specimen, SpecimenSchema

__all__ = ["make_note"]
MakeNote = Callable[..., Note]
Stored = Callable[[object], list[object]]


def test_line_ends_are_stored_as_everywhere_else(client: FlaskClient, stored: Stored) -> None:
    form = {"csrf_token": csrf_token(client, "/notes/new"), "title": "Rope", "body": "two\r\nlines"}
    assert client.post("/notes", data=form).status_code == 303
    assert stored(Note.body) == ["two\nlines"]


def test_required_field_that_is_left_empty_is_missing(client: FlaskClient) -> None:
    form = {"csrf_token": csrf_token(client, "/notes/new"), "title": "", "body": "kept"}
    answer = client.post("/notes", data=form)
    assert answer.status_code == 422
    assert "Missing data for required field." in answer.text
    assert "kept</textarea>" in answer.text


@pytest.mark.parametrize(
    ("field", "default", "shown"),
    [
        (DateTime(), "2026-01-01T00:00:00+02:00", "2025-12-31T22:00:00"),
        (DateTime(attribute="at"), "2026-01-01T00:00:00Z", "2026-01-01T00:00:00"),
        (DateTime(), "tomorrow", "tomorrow"),
        (Time(), "10:00:00", "10:00:00"),
        (Decimal(precision=4, places=2), "-1.5", "-1.50"),
        (Boolean(), "true", "true"),
        (Json(), "{}", "{}"),
        (Integer(), "5", "5"),
        (Integer(), "", ""),
    ],
)
def test_default_is_shown_as_a_control_takes_it(field: fields.Field[Any], default: str, shown: str) -> None:
    assert shown_default(field, default) == shown


def test_field_that_there_is_not_is_told(client: FlaskClient) -> None:
    form = {"csrf_token": csrf_token(client, "/notes/new"), "title": "a", "colour": "red"}
    answer = client.post("/notes", data=form)
    assert answer.status_code == 422
    assert "colour: Unknown field." in answer.text


def test_text_is_escaped(client: FlaskClient, make_note: MakeNote) -> None:
    note = make_note(title="<b>Rope</b>", body="</textarea><script>")
    for path in ("/notes", f"/notes/{note.id}", f"/notes/{note.id}/edit", f"/notes/{note.id}/delete"):
        page = client.get(path).text
        assert "<b>Rope" not in page
        assert "</textarea><script>" not in page


def test_change_by_another_at_the_same_time_keeps_the_input(
    client: FlaskClient, make_note: MakeNote, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = make_note()
    form = {"csrf_token": csrf_token(client, "/notes/new"), "version": "1", "title": "mine", "body": ""}

    def meanwhile(self: Note, data: dict[str, object]) -> None:
        db.session.execute(db.text("UPDATE notes SET version = version + 1"))
        self.title = "lost"

    monkeypatch.setattr(Note, "update", meanwhile)
    answer = client.post(f"/notes/{note.id}", data=form)
    assert answer.status_code == 409
    assert "The record was changed at the same time" in answer.text
    assert 'value="mine"' in answer.text


def test_form_of_an_older_version_keeps_the_input(client: FlaskClient, make_note: MakeNote) -> None:
    note = make_note()
    form = {"csrf_token": csrf_token(client, "/notes/new"), "version": "0", "title": "mine", "body": ""}
    assert 'value="mine"' in client.post(f"/notes/{note.id}", data=form).text


def test_line_ends_in_a_single_line_have_a_control_that_keeps_them(
    client: FlaskClient, make_note: MakeNote
) -> None:
    note = make_note(title="two\nlines")
    assert ">\ntwo\nlines</textarea>" in client.get(f"/notes/{note.id}/edit").text


# --- The version that a form is of ---


@pytest.fixture
def changed(client: FlaskClient, make_note: MakeNote) -> tuple[str, dict[str, str]]:
    """The URL of a note that was changed since its form was got, and that form."""
    url = f"/notes/{make_note().id}"
    form = {"csrf_token": csrf_token(client, f"{url}/edit"), "version": "1", "title": "mine", "body": ""}
    client.patch(f"/api{url}", json={"title": "theirs"})
    return url, form


def version_of(page: TestResponse) -> str:
    """Return the version that the form of a page will be sent back with."""
    [found] = re.findall(r'name="version" value="([^"]*)"', page.text)
    return str(found)


def test_form_that_is_refused_stays_of_its_version(
    client: FlaskClient, changed: tuple[str, dict[str, str]]
) -> None:
    url, form = changed
    assert version_of(client.post(url, data=form | {"title": "x" * 201})) == "1"


@pytest.mark.parametrize("path", ["", "/delete"])
def test_form_is_of_the_version_whose_change_was_told(
    client: FlaskClient, changed: tuple[str, dict[str, str]], path: str
) -> None:
    url, form = changed
    page = client.post(url + path, data=form)
    assert "Changed by somebody else" in page.text
    assert version_of(page) == "2"
    again = form | {"version": version_of(page)}
    assert client.post(url + path, data=again).status_code == 303


# --- What was not edited ---


def edited(record: Specimen, form: dict[str, str]) -> dict[str, Any]:
    """Return what the form of a record changes, as a browser sends it."""
    sent = {name: re.sub("\r\n|\r|\n", "\r\n", text) for name, text in form.items()}
    with Flask("app").test_request_context(method="POST", data=sent):
        return load_form(SpecimenSchema(), record)  # type: ignore[no-untyped-call] # marshmallow-sqlalchemy's


@given(st.fixed_dictionaries({name: values | st.none() for name, values in VALUES.items()}))
def test_form_that_was_not_edited_changes_nothing(values: dict[str, Any]) -> None:
    record = Specimen(**values)
    shown = stored_values(SpecimenSchema(), record)  # type: ignore[no-untyped-call] # likewise
    assert edited(record, shown) == {}


def test_time_to_the_minute_is_sent_without_seconds_and_changes_nothing() -> None:
    moment = dt.datetime(2026, 1, 31, 13, 45, 0, 250_000, tzinfo=dt.UTC)
    record = Specimen(hour=moment.time(), moment=moment)
    form = stored_values(SpecimenSchema(), record)  # type: ignore[no-untyped-call] # likewise
    assert edited(record, form | {"hour": "13:45", "moment": "2026-01-31T13:45"}) == {}
    assert edited(record, form | {"hour": "13:46", "moment": "2026-01-31T13:45"}) == {"hour": dt.time(13, 46)}


def test_note_that_was_not_edited_keeps_its_version(
    client: FlaskClient, make_note: MakeNote, stored: Stored
) -> None:
    note = make_note(body="two\r\nlines")
    token = csrf_token(client, f"/notes/{note.id}/edit")
    form = {"csrf_token": token, "version": "1", "title": note.title, "body": "two\r\nlines"}
    assert client.post(f"/notes/{note.id}", data=form).status_code == 303
    assert stored(Note.version) == [1]


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """The app's context."""
    with app.app_context():
        yield


@pytest.mark.usefixtures("context")
def test_choices_are_the_newest_first() -> None:
    older, newer = store_note(title="older"), store_note(title="newer")
    assert choices(db.select(Note)) == [(newer.id, "newer"), (older.id, "older")]


@pytest.mark.usefixtures("context")
def test_too_many_are_no_choice() -> None:
    db.session.add_all(Note(title=str(number)) for number in range(CHOICES_MAX + 1))
    assert choices(db.select(Note)) is None


def test_wrong_query_of_a_page_is_a_422_page(client: FlaskClient) -> None:
    answer = client.get("/notes?sort=body")
    assert (answer.status_code, answer.mimetype) == (422, "text/html")


def test_head_of_a_column_sorts_by_it_and_then_the_other_way(
    client: FlaskClient, make_note: MakeNote
) -> None:
    make_note(title="rope")
    assert 'href="/notes?q=rope&amp;sort=title"' in client.get("/notes?q=rope").text
    page = client.get("/notes?q=rope&sort=title").text
    assert 'aria-sort="ascending"><a href="/notes?q=rope&amp;sort=-title"' in page


def test_search_that_finds_nothing_leads_back(client: FlaskClient) -> None:
    page = client.get("/notes?q=nothing").text
    assert "No notes are found." in page
    assert '<a href="/notes">All notes</a>' in page
