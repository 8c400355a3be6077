import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.notes.models import Note
from tests.unit.forms import csrf_token

MakeNote = Callable[..., Note]
Stored = Callable[[object], list[object]]
Form = dict[str, str]


def test_index_links_to_the_notes(client: FlaskClient, make_note: MakeNote) -> None:
    assert f'href="/notes/{make_note().id}"' in client.get("/notes").text


def test_index_links_to_the_next_page(client: FlaskClient, make_note: MakeNote) -> None:
    for _ in range(3):
        make_note()
    assert re.search(r'href="/notes\?limit=2&amp;after=[^"]+" rel="next"', client.get("/notes?limit=2").text)


def test_index_of_nothing_says_so(client: FlaskClient) -> None:
    assert "There are no notes yet." in client.get("/notes").text


def test_index_takes_no_notice_of_what_is_left_empty(client: FlaskClient, make_note: MakeNote) -> None:
    make_note()
    query = {"q": ""}
    assert "<table" in client.get("/notes", query_string=query).text


def test_create_stores_the_note_and_shows_it(client: FlaskClient, stored: Stored, form: Form) -> None:
    answer = client.post("/notes", data=form)
    assert answer.status_code == 303
    assert client.get(answer.headers["Location"]).status_code == 200
    made = client.get("/api" + answer.headers["Location"]).json
    assert made.items() >= {"title": "A title", "body": "A body"}.items()


def test_create_shows_the_error_and_keeps_the_input(client: FlaskClient, form: Form) -> None:
    answer = client.post("/notes", data=form | {"title": "x" * 201})
    assert answer.status_code == 422
    assert 'id="title-error"' in answer.text
    assert "x" * 201 in answer.text


@pytest.mark.parametrize("forged", [{}, {"csrf_token": "forged"}])
@pytest.mark.parametrize("url", ["/notes", "/notes/{}", "/notes/{}/delete"])
def test_form_without_a_valid_csrf_token_is_refused(
    client: FlaskClient, make_note: MakeNote, stored: Stored, form: Form, url: str, forged: Form
) -> None:
    made = make_note()
    del form["csrf_token"]
    assert client.post(url.format(made.id), data=form | forged).status_code == 400
    assert stored(Note.version) == [1]


def test_edit_shows_the_note_in_the_form(client: FlaskClient, form: Form) -> None:
    url = client.post("/notes", data=form).headers["Location"]
    page = client.get(f"{url}/edit").text
    assert re.search(rf'name="title"[^>]*(value="|>\s*){re.escape(form["title"])}', page)


def test_update_changes_the_note(client: FlaskClient, make_note: MakeNote, form: Form) -> None:
    made = make_note()
    form |= {"version": "1", "title": "B"}
    assert client.post(f"/notes/{made.id}", data=form).status_code == 303
    assert client.get(f"/api/notes/{made.id}").json["title"] == "B"


def test_update_of_an_older_version_is_told(
    client: FlaskClient, make_note: MakeNote, stored: Stored, form: Form
) -> None:
    made = make_note()
    answer = client.post(f"/notes/{made.id}", data=form | {"version": "0"})
    assert answer.status_code == 422
    assert "Changed by somebody else" in answer.text
    assert stored(Note.version) == [1]


def test_delete_of_an_older_version_is_told(
    client: FlaskClient, make_note: MakeNote, stored: Stored, form: Form
) -> None:
    made = make_note()
    answer = client.post(f"/notes/{made.id}/delete", data={"csrf_token": form["csrf_token"], "version": "0"})
    assert answer.status_code == 422
    assert "Changed by somebody else" in answer.text
    assert stored(Note.version) == [1]


def test_delete_asks_and_removes_the_note(client: FlaskClient, make_note: MakeNote) -> None:
    url = f"/notes/{make_note().id}"
    token = csrf_token(client, f"{url}/delete")
    assert client.post(f"{url}/delete", data={"csrf_token": token}).status_code == 303
    assert client.get(url).status_code == 404
