"""What each module's API does alike, with notes as the example."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.notes.models import Note
from slipway.http.etags import keep_shape
from tests.unit.app.notes.conftest import make_note

__all__ = ["make_note"]
MakeNote = Callable[..., Note]


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


@pytest.mark.parametrize("spelt", ["{}", "*", 'W/"another", {}'])
def test_show_of_a_known_version_is_304(client: FlaskClient, make_note: MakeNote, spelt: str) -> None:
    url = f"/api/notes/{make_note().id}"
    known = spelt.format(client.get(url).headers["ETag"])
    for tag in (known, known.removeprefix("W/")):
        answer = client.get(url, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.data) == (304, b"")


def test_version_of_another_shape_is_shown_anew_and_may_be_changed(
    client: FlaskClient, make_note: MakeNote, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"/api/notes/{make_note().id}"
    known = client.get(url).headers["ETag"]
    monkeypatch.setitem(client.application.extensions, "api_shape", "another")
    assert client.get(url, headers={"If-None-Match": known}).status_code == 200
    assert client.patch(url, json={"body": ""}, headers={"If-Match": known}).status_code == 200
    assert client.patch(url, json={"body": ""}, headers={"If-Match": known}).status_code == 412


def test_shape_follows_from_the_document() -> None:
    made = Flask("shapes")
    keep_shape(made, {"minimum": Decimal("0.01")})
    shapes = set()
    for fields in ({"id": "integer"}, {"id": "integer", "due": "string"}, {"due": "string", "id": "integer"}):
        keep_shape(made, fields)
        shapes.add(made.extensions["api_shape"])
    assert len(shapes) == 2


@pytest.mark.parametrize("note_id", ["0", "-1", "x", "1.5", "01", str(2**63), "9" * 5000, "%31x"])
def test_show_of_what_is_no_id_is_404(client: FlaskClient, note_id: str) -> None:
    assert client.get(f"/api/notes/{note_id}").status_code == 404


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


@pytest.mark.parametrize("query", ["title=a&title=b", "sort=id&sort=id", "q=a&q=a", "limit=1&limit=1"])
def test_index_refuses_what_is_given_twice(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/notes?{query}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [query.partition("=")[0]])


@pytest.mark.parametrize("query", ["title=a%00", "q=%00", "q=", "q=" + "x" * 101, "title=", "after=%00"])
def test_index_refuses_text_that_cannot_be_meant(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/notes?{query}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [query.partition("=")[0]])


def test_index_refuses_a_cursor_of_another_order(client: FlaskClient, make_note: MakeNote) -> None:
    for _ in range(2):
        make_note()
    following = client.get("/api/notes?limit=1&sort=title").json["next"]
    answer = client.get(following.replace("sort=title", "sort=-title"))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["after"])


def test_index_pages_through_what_a_search_finds(client: FlaskClient, make_note: MakeNote) -> None:
    ids = [make_note(title=title).id for title in ("rope", "tar", "rope", "rope")]
    found, url = [], "/api/notes?q=rope&limit=1"
    while url:
        page = client.get(url).json
        found += [note["id"] for note in page["items"]]
        url = page["next"]
    assert found == [ids[3], ids[2], ids[0]]


def test_query_of_a_list_is_documented(client: FlaskClient) -> None:
    parameters = client.get("/api/openapi.json").json["paths"]["/api/notes"]["get"]["parameters"]
    assert [parameter["name"] for parameter in parameters] == ["limit", "after", "sort", "title", "q"]
    assert parameters[2]["schema"]["enum"] == ["id", "-id", "title", "-title"]
