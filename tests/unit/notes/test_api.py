from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from app.extensions import db
from app.notes.models import Note

MakeNote = Callable[..., Note]


def test_create_answers_with_the_note_and_where_it_is(client: FlaskClient) -> None:
    answer = client.post("/api/notes", json={"title": "Buy rope", "body": "20 m"})
    assert answer.status_code == 201
    assert answer.json["title"] == "Buy rope"
    assert answer.json["body"] == "20 m"
    assert client.get(answer.headers["Location"]).json == answer.json


def test_timestamps_have_a_time_zone(client: FlaskClient) -> None:
    created = datetime.fromisoformat(client.post("/api/notes", json={"title": "a"}).json["created_at"])
    assert created.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a", "body": None}, "body"),
        ({"title": "a", "body": "x" * 50_001}, "body"),
        ({"title": "a", "colour": "red"}, "colour"),
    ],
)
def test_create_names_the_invalid_field(client: FlaskClient, data: dict[str, object], field: str) -> None:
    answer = client.post("/api/notes", json=data)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"title": NaN}', "application/json", 400),
        (b'{"title": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"title=a", "application/x-www-form-urlencoded", 415),
        (b"{}", None, 415),
    ],
)
def test_create_refuses_a_malformed_body(
    client: FlaskClient, body: bytes, content_type: str | None, status: int
) -> None:
    answer = client.post("/api/notes", data=body, content_type=content_type)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


def test_show_tells_the_version(client: FlaskClient, make_note: MakeNote) -> None:
    answer = client.get(f"/api/notes/{make_note().id}")
    assert answer.headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize("etag", ['W/"1"', '"1"', "*"])
def test_show_of_a_known_version_is_304(client: FlaskClient, make_note: MakeNote, etag: str) -> None:
    answer = client.get(f"/api/notes/{make_note().id}", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.data) == (304, b"")


@pytest.mark.parametrize("note_id", ["0", "-1", "x", "1.5", "01", str(2**63), "9" * 5000, "%31x"])
def test_show_of_what_is_no_id_is_404(client: FlaskClient, note_id: str) -> None:
    assert client.get(f"/api/notes/{note_id}").status_code == 404


def test_show_of_an_unknown_note_is_404(client: FlaskClient) -> None:
    assert client.get(f"/api/notes/{2**63 - 1}").status_code == 404


def test_update_changes_what_is_sent(client: FlaskClient, make_note: MakeNote) -> None:
    note = make_note(title="old", body="kept")
    answer = client.patch(f"/api/notes/{note.id}", json={"title": "new"})
    assert (answer.status_code, answer.json["title"], answer.json["body"]) == (200, "new", "kept")
    assert (answer.json["version"], answer.headers["ETag"]) == (2, 'W/"2"')


def test_update_takes_back_what_was_got(client: FlaskClient, make_note: MakeNote) -> None:
    url = f"/api/notes/{make_note().id}"
    assert client.patch(url, json=client.get(url).json | {"title": "new"}).json["title"] == "new"


@pytest.mark.parametrize(("etag", "status"), [('W/"1"', 200), ('"1"', 200), ("*", 200), ('W/"2"', 412)])
def test_update_compares_if_match(client: FlaskClient, make_note: MakeNote, etag: str, status: int) -> None:
    answer = client.patch(f"/api/notes/{make_note().id}", json={"title": "new"}, headers={"If-Match": etag})
    assert answer.status_code == status


@pytest.mark.parametrize(("headers", "status"), [({}, 409), ({"If-Match": 'W/"1"'}, 412)])
def test_update_of_what_another_changed_at_the_same_time_is_refused(
    client: FlaskClient,
    make_note: MakeNote,
    monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str],
    status: int,
) -> None:
    note = make_note()

    def meanwhile(self: Note, data: dict[str, object]) -> None:
        db.session.execute(text("UPDATE notes SET version = version + 1"))
        self.title = "lost"

    monkeypatch.setattr(Note, "update", meanwhile)
    answer = client.patch(f"/api/notes/{note.id}", json={"title": "x"}, headers=headers)
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
    seen, url = [], "/api/notes?limit=2"
    while url:
        page = client.get(url).json
        seen += [note["id"] for note in page["items"]]
        url = page["next"]
    assert seen == ids[::-1]


def test_index_has_no_next_after_the_last_page(client: FlaskClient, make_note: MakeNote) -> None:
    make_note()
    assert client.get("/api/notes?limit=1").json["next"] is None


@pytest.mark.parametrize("query", ["endpoint=x", "_method=FOO", "_external=1", "_scheme=ftp", "colour=r%20d"])
def test_index_keeps_what_else_the_query_holds(client: FlaskClient, make_note: MakeNote, query: str) -> None:
    ids = [make_note().id for _ in range(2)]
    following = client.get(f"/api/notes?limit=1&{query}").json["next"]
    assert following.startswith("/api/notes?limit=1&")
    assert [note["id"] for note in client.get(following).json["items"]] == ids[:1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=",
        "limit=" + "9" * 5000,
        "limit=%201",
        "limit=1%0a",
        "limit=%D9%A1",
        "limit=1_0",
    ],
)
def test_index_refuses_a_limit_out_of_range(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/notes?{query}")
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == ["limit"]


@pytest.mark.parametrize(
    "after", ["", "x", "AAAA", "%00", "%F0%9F%92%A9", "A" * 400, "____________", "AAAAAAAAAAAAAAAA"]
)
def test_index_refuses_a_cursor_that_is_none(client: FlaskClient, after: str) -> None:
    answer = client.get(f"/api/notes?after={after}")
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == ["after"]
