import datetime as dt
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from app.extensions import db
from app.notes.models import Note

MakeNote = Callable[..., Note]
Data = dict[str, Any]


def pages(client: FlaskClient, url: str) -> list[Any]:
    """Return the records of a list, page after page."""
    found, following = [], url
    while following:
        page = client.get(following).json
        found += page["items"]
        following = page["next"]
    return found


def test_create_answers_with_the_note_and_where_it_is(client: FlaskClient, data: Data) -> None:
    answer = client.post("/api/notes", json=data)
    assert answer.status_code == 201
    assert answer.json.items() >= data.items()
    assert client.get(answer.headers["Location"]).json == answer.json


def test_timestamps_have_a_time_zone(client: FlaskClient, data: Data) -> None:
    created = datetime.fromisoformat(client.post("/api/notes", json=data).json["created_at"])
    assert created.utcoffset() == timedelta(0)


@pytest.mark.parametrize("field", ["title"])
def test_create_names_the_missing_field(client: FlaskClient, data: Data, field: str) -> None:
    del data[field]
    answer = client.post("/api/notes", json=data)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", None),
        ("title", ""),
        ("title", "x" * 201),
        ("title", 5),
        ("body", None),
        ("body", "x" * 50_001),
        ("body", 5),
        ("unknown_field", 1),
    ],
)
def test_create_names_the_invalid_field(client: FlaskClient, data: Data, field: str, value: Any) -> None:
    answer = client.post("/api/notes", json=data | {field: value})
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.parametrize(("field", "value"), [("body", "")])
def test_create_without_a_field_takes_its_default(
    client: FlaskClient, data: Data, field: str, value: Any
) -> None:
    del data[field]
    assert client.post("/api/notes", json=data).json[field] == value


def test_show_tells_the_version(client: FlaskClient, make_note: MakeNote) -> None:
    answer = client.get(f"/api/notes/{make_note().id}")
    assert answer.headers["ETag"].startswith('W/"1-')


def test_show_of_a_known_version_is_304(client: FlaskClient, make_note: MakeNote) -> None:
    url = f"/api/notes/{make_note().id}"
    answer = client.get(url, headers={"If-None-Match": client.get(url).headers["ETag"]})
    assert (answer.status_code, answer.data) == (304, b"")


def test_show_of_an_unknown_note_is_404(client: FlaskClient) -> None:
    assert client.get(f"/api/notes/{2**63 - 1}").status_code == 404


@pytest.mark.parametrize(("field", "value"), [("title", "B"), ("body", "B")])
def test_update_changes_what_is_sent(client: FlaskClient, data: Data, field: str, value: Any) -> None:
    created = client.post("/api/notes", json=data)
    answer = client.patch(created.headers["Location"], json={field: value})
    assert answer.status_code == 200
    assert answer.json.items() >= (data | {field: value, "version": 2}).items()


def test_update_takes_back_what_was_got(client: FlaskClient, make_note: MakeNote) -> None:
    url = f"/api/notes/{make_note().id}"
    got = client.get(url).json
    assert client.patch(url, json=got).json == got


@pytest.mark.parametrize(
    ("etag", "status"), [('W/"1"', 200), ('"1"', 200), ("*", 200), ('W/"2"', 412), ('""', 412)]
)
def test_update_compares_if_match(client: FlaskClient, make_note: MakeNote, etag: str, status: int) -> None:
    answer = client.patch(f"/api/notes/{make_note().id}", json={}, headers={"If-Match": etag})
    assert answer.status_code == status


@pytest.mark.parametrize(("headers", "status"), [({}, 409), ({"If-Match": 'W/"1"'}, 412)])
def test_update_of_what_another_changed_at_the_same_time_is_refused(
    client: FlaskClient,
    make_note: MakeNote,
    monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str],
    status: int,
) -> None:
    made = make_note()

    def meanwhile(self: Note, data: dict[str, object]) -> None:
        db.session.execute(text("UPDATE notes SET version = version + 1"))
        self.updated_at = dt.datetime.now(dt.UTC)

    monkeypatch.setattr(Note, "update", meanwhile)
    answer = client.patch(f"/api/notes/{made.id}", json={}, headers=headers)
    assert answer.status_code == status


def test_delete_removes_the_note(client: FlaskClient, make_note: MakeNote) -> None:
    url = f"/api/notes/{make_note().id}"
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404


def test_delete_compares_if_match(client: FlaskClient, make_note: MakeNote) -> None:
    answer = client.delete(f"/api/notes/{make_note().id}", headers={"If-Match": 'W/"9"'})
    assert answer.status_code == 412


def test_index_pages_through_all_newest_first(client: FlaskClient, make_note: MakeNote) -> None:
    ids = [make_note().id for _ in range(5)]
    assert [item["id"] for item in pages(client, "/api/notes?limit=2")] == ids[::-1]


@pytest.mark.parametrize("field", ["title"])
def test_index_sorts_both_ways_and_ties_by_id(client: FlaskClient, make_note: MakeNote, field: str) -> None:
    ids = [make_note().id for _ in range(5)]
    for sort, expected in ((field, ids), (f"-{field}", ids[::-1])):
        found = pages(client, f"/api/notes?sort={sort}&limit=2")
        assert [item["id"] for item in found] == expected


def test_index_filters_by_title(client: FlaskClient, make_note: MakeNote, data: Data) -> None:
    make_note(title="B")
    created = client.post("/api/notes", json=data).json
    query = {"title": data["title"]}
    assert client.get("/api/notes", query_string=query).json["items"] == [created]


@pytest.mark.parametrize("query", ["sort=updated_at", "sort=-", "updated_at=1", "version=1"])
def test_index_is_sorted_and_filtered_by_what_is_indexed_only(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/notes?{query}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [query.partition("=")[0]])


@pytest.mark.parametrize(
    ("words", "found"), [("zyx", 1), ("ZYXWVU fox", 1), ("yxw", 0), ("zyxwvu raven", 0), ("'&|!:*\\", 0)]
)
def test_index_searches_title(client: FlaskClient, make_note: MakeNote, words: str, found: int) -> None:
    make_note(title="Zyxwvu a fox")
    make_note()
    page = client.get("/api/notes", query_string={"q": words}).json
    assert len(page["items"]) == found


@pytest.mark.parametrize(
    ("words", "found"), [("zyx", 1), ("ZYXWVU fox", 1), ("yxw", 0), ("zyxwvu raven", 0), ("'&|!:*\\", 0)]
)
def test_index_searches_body(client: FlaskClient, make_note: MakeNote, words: str, found: int) -> None:
    make_note(body="Zyxwvu a fox")
    make_note()
    page = client.get("/api/notes", query_string={"q": words}).json
    assert len(page["items"]) == found
