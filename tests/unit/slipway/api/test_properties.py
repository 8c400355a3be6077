"""What holds for every input of the code that parses, tried on inputs that hypothesis makes up."""

import json
import re
import string
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.notes.schemas import NoteQuery
from slipway.api.fields import unstorable
from slipway.api.pagination import Position, cursor
from slipway.http import request_log
from slipway.http.converters import BIGINT_MAX, IdConverter

anything = st.text(st.characters(exclude_categories=[]), max_size=80)
base64url = st.text(string.ascii_letters + string.digits + "-_=", max_size=16)
storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(anything, inner, max_size=4),
)


@given(st.integers(1, BIGINT_MAX))
def test_cursor_comes_back_as_it_went(record_id: int) -> None:
    assert NoteQuery().load({"after": cursor("-id", None, record_id)})["after"] == Position(None, record_id)


@given(storable, st.integers(1, BIGINT_MAX))
def test_cursor_of_a_sorted_list_comes_back_as_it_went(value: str, record_id: int) -> None:
    query = {"sort": "title", "after": cursor("title", value, record_id)}
    assert NoteQuery().load(query)["after"] == Position(value, record_id)


def invalid(query: dict[str, str]) -> dict[str, Any]:
    """Return what a list says is wrong with its query; nothing where that is taken."""
    try:
        NoteQuery().load(query)
    except ValidationError as error:
        return dict(error.normalized_messages())
    return {}


@given(anything | base64url, st.sampled_from(["id", "-id", "title", "-title"]))
@example("AAAAAAAAAAAA", "-id")
@example("A" * 400, "title")
@example(cursor("title", "a", 1), "-title")
@example(cursor("title", None, 1), "title")
@example(cursor("title", "\0", 1), "title")
@example(cursor("-id", None, 0), "-id")
@example(cursor("-id", None, BIGINT_MAX + 1), "-id")
@example(cursor("-id", 5, 1), "-id")
@example(f"{cursor('-id', None, 1)}=", "-id")
def test_cursor_is_of_a_record_or_refused(value: str, sort: str) -> None:
    query = {"after": value, "sort": sort}
    if wrong := invalid(query):
        assert list(wrong) == ["after"]
    else:
        assert cursor(sort, *NoteQuery().load(query)["after"]) == value


@given(anything | st.integers().map(str) | st.floats().map(str))
def test_limit_is_within_bounds_or_refused(value: str) -> None:
    if wrong := invalid({"limit": value}):
        assert list(wrong) == ["limit"]
    else:
        assert 1 <= NoteQuery().load({"limit": value})["limit"] <= 100


@given(st.integers() | st.integers(BIGINT_MAX - 5, BIGINT_MAX + 5))
def test_id_is_one_that_postgres_has(number: int) -> None:
    converter = IdConverter.__new__(IdConverter)
    is_id = re.fullmatch(converter.regex, str(number)) is not None
    try:
        taken = is_id and converter.to_python(str(number)) == number
    except ValueError:
        taken = False
    assert taken == (1 <= number <= BIGINT_MAX)


@given(anything)
def test_request_id_is_taken_over_or_made(value: str) -> None:
    header = value.encode("utf-8", "surrogatepass").decode("latin-1")
    app = Flask(__name__)
    with app.test_request_context(environ_overrides={"HTTP_X_REQUEST_ID": header}):
        known = request_log.request_id()
        assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", known)
        assert known == header or re.fullmatch("[0-9a-f]{32}", known)
        assert request_log.request_id() == known


@given(anything)
def test_text_is_refused_where_it_cannot_be_stored(value: str) -> None:
    try:
        value.encode()
        kept = "\0" not in value
    except UnicodeEncodeError:
        kept = False
    assert unstorable(value) is not kept


@given(json_values)
def test_json_of_any_shape_is_answered_by_a_problem(client: FlaskClient, body: Any) -> None:
    answer = client.post("/api/notes", data=json.dumps(body), content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_answered_by_a_problem(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/api/notes", data=body, content_type="application/json")
    assert answer.status_code in (400, 422)


@given(st.dictionaries(anything, anything, max_size=4))
def test_filter_of_any_kind_leaves_the_list_as_it_is(client: FlaskClient, query: dict[str, str]) -> None:
    known = {"limit", "after", "sort", "q", "title", "body", "id", "version", "created_at", "updated_at"}
    given = {
        n.encode(errors="replace").decode(): v.encode(errors="replace").decode() for n, v in query.items()
    }
    answer = client.get("/api/notes", query_string={n: v for n, v in given.items() if n not in known})
    assert answer.status_code == 200
