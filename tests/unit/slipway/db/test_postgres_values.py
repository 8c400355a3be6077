"""Values that Postgres has and Python has not: shown as Postgres writes them, and never changed by that."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from marshmallow import ValidationError
from marshmallow import fields as plain
from psycopg2 import extensions

from app.extensions import db
from app.notes.models import Note
from slipway.api.fields import Boolean, Date, DateTime, Decimal, Float, Integer, Time, to_text
from slipway.api.pagination import Position, cursor, read_cursor
from slipway.db.postgres_values import Beyond, is_beyond, register
from tests.unit.app.notes.conftest import make_note
from tests.unit.forms import csrf_token

__all__ = ["make_note"]
MakeNote = Callable[..., Note]
Query = Callable[[str], Any]
PSYCOPG2 = [extensions.PYDATETIMETZ, extensions.PYDATETIME, extensions.PYDATE, extensions.PYTIME]
MOMENTS = ["infinity", "-infinity", "10000-01-01 00:00:00.5+00", "0044-03-15 12:00:00+00 BC"]


@pytest.fixture
def connect(postgres: str) -> Iterator[Callable[..., Query]]:
    """Return a function that connects, and returns one that returns the value of an expression."""
    connections = []

    def made(*typecasters: Any) -> Query:
        connection = psycopg2.connect(postgres)
        connections.append(connection)
        for typecaster in typecasters:
            extensions.register_type(typecaster, connection)

        def read(expression: str) -> Any:
            with connection.cursor() as reading:
                reading.execute(f"SELECT {expression}")
                return reading.fetchone()[0]

        return read

    register()
    yield made
    for connection in connections:
        connection.close()


@pytest.fixture
def query(connect: Callable[..., Query]) -> Query:
    """Return a function that returns what Postgres has for an expression."""
    return connect()


@pytest.mark.parametrize(
    "expression",
    [
        *(f"timestamptz '{moment}'" for moment in MOMENTS),
        "timestamp '10000-01-01 00:00:00'",
        "date 'infinity'",
        "date '0044-03-15 BC'",
        "time '24:00:00'",
        "time with time zone '24:00:00+01'",
    ],
)
def test_value_that_python_has_not_is_the_text_of_postgres(query: Query, expression: str) -> None:
    value = query(expression)
    assert isinstance(value, Beyond)
    assert value == expression.split("'")[1]
    assert query(f"array[{expression}]") == [value]


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date", "time", "timetz"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
def test_others_are_read_as_psycopg2_reads_them(
    connect: Callable[..., Query], query: Query, zone: str, kind: str
) -> None:
    of_psycopg2 = connect(*PSYCOPG2)
    for read in (query, of_psycopg2):
        read(f"set_config('TimeZone', '{zone}', false)")
    for number in range(50):
        moment = f"(timestamptz '1200-01-01' + {number} * interval '17 y 7 d 5.0431 s')::{kind}"
        assert repr(query(moment)) == repr(of_psycopg2(moment))


@pytest.mark.parametrize("moment", MOMENTS)
def test_record_is_shown_and_saved_as_it_is(
    client: FlaskClient, make_note: MakeNote, app: Flask, moment: str
) -> None:
    note = make_note(title="Rope")
    with app.app_context():
        db.session.execute(
            db.text("UPDATE notes SET created_at = :moment, updated_at = :moment"), {"moment": moment}
        )
        db.session.commit()
    for _ in range(2):  # the second time by a plan of the statement
        assert client.get("/api/notes").json["items"][0]["created_at"] == moment
        assert client.get(f"/api/notes/{note.id}").json["updated_at"] == moment
    for path in ("/notes", f"/notes/{note.id}"):
        assert moment in client.get(path).text
    form = {
        "csrf_token": csrf_token(client, f"/notes/{note.id}/edit"),
        "version": "1",
        "title": "Rope",
        "body": "A body",
    }
    assert client.post(f"/notes/{note.id}", data=form).status_code == 303
    assert client.get(f"/api/notes/{note.id}").json["updated_at"] == moment


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((DateTime(), Beyond(moment)) for moment in MOMENTS),
        (Date(), Beyond("infinity")),
        (Time(), Beyond("24:00:00")),
        (Decimal(precision=8, places=2), "NaN"),
        (Decimal(), "-Infinity"),
        (Float(), float("inf")),
    ],
)
def test_page_begins_after_a_record_with_such_a_value(field: plain.Field[Any], value: Any) -> None:
    assert read_cursor(cursor("due", value, 7), "due", field) == Position(value, 7)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (DateTime(), "next tuesday"),
        (DateTime(), 1.5),
        (Date(), "2026-02-31"),
        (plain.String(), 1.5),
        (Integer(), "nan"),
        (Boolean(), float("nan")),
    ],
)
def test_cursor_with_a_value_that_its_column_cannot_have_is_refused(
    field: plain.Field[Any], value: Any
) -> None:
    with pytest.raises(ValidationError):
        read_cursor(cursor("due", value, 7), "due", field)


@pytest.mark.parametrize(
    "text",
    ["2026-01-31", "2026-01-31T13:45:00", "2026-01-31 13:45:00+00", "13:45:00", "1.5", "", "information"],
)
def test_value_that_a_control_takes_is_shown_in_it(app: Flask, text: str) -> None:
    assert not is_beyond(text)
    template = (
        '{% import "macros.html" as ui with context %}{{ ui.input("day", "Day", type="date", min="2000") }}'
    )
    with app.test_request_context():
        shown = render_template_string(template, values={"day": text}, errors={})
    assert 'type="date"' in shown
    assert 'min="2000"' in shown


@pytest.mark.parametrize(
    ("field", "value"), [*((DateTime(), Beyond(moment)) for moment in MOMENTS), (Time(), Beyond("24:00:00"))]
)
def test_form_has_all_of_the_text(field: plain.Field[Any], value: Beyond) -> None:
    assert to_text(field, field.serialize("at", {"at": value})) == value
