import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.notes.models import Note

MakeNote = Callable[..., Note]
Stored = Callable[[object], list[object]]


def token(client: FlaskClient) -> str:
    """Return the CSRF token of the form for a new note."""
    match = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/notes/new").text)
    assert match
    return match[1]


def test_index_links_to_the_notes(client: FlaskClient, make_note: MakeNote) -> None:
    note = make_note(title="<b>Rope</b>")
    page = client.get("/notes").text
    assert f'href="/notes/{note.id}">&lt;b&gt;Rope&lt;/b&gt;<' in page


def test_index_links_to_the_next_page(client: FlaskClient, make_note: MakeNote) -> None:
    for _ in range(3):
        make_note()
    assert re.search(r'href="/notes\?limit=2&amp;after=[^"]+" rel="next"', client.get("/notes?limit=2").text)


def test_index_with_a_wrong_cursor_is_a_422_page(client: FlaskClient) -> None:
    answer = client.get("/notes?after=x")
    assert (answer.status_code, answer.mimetype) == (422, "text/html")


def test_create_stores_the_note_and_shows_it(client: FlaskClient, stored: Stored) -> None:
    form = {"csrf_token": token(client), "title": "Rope", "body": "two\r\nlines"}
    answer = client.post("/notes", data=form)
    assert answer.status_code == 303
    assert "Rope" in client.get(answer.headers["Location"]).text
    assert stored(Note.body) == ["two\nlines"]


def test_create_shows_the_error_and_keeps_the_input(client: FlaskClient) -> None:
    answer = client.post("/notes", data={"csrf_token": token(client), "title": "", "body": "kept"})
    assert answer.status_code == 422
    assert 'id="title-error"' in answer.text
    assert ">kept</textarea>" in answer.text


@pytest.mark.parametrize("form", [{}, {"csrf_token": "forged"}])
@pytest.mark.parametrize("url", ["/notes", "/notes/{}", "/notes/{}/delete"])
def test_form_without_a_valid_csrf_token_is_refused(
    client: FlaskClient, make_note: MakeNote, stored: Stored, url: str, form: dict[str, str]
) -> None:
    note = make_note(title="kept")
    answer = client.post(url.format(note.id), data=form | {"title": "x"})
    assert answer.status_code == 400
    assert stored(Note.title) == ["kept"]


def test_update_changes_the_note(client: FlaskClient, make_note: MakeNote) -> None:
    note = make_note()
    form = {"csrf_token": token(client), "version": "1", "title": "new", "body": ""}
    assert client.post(f"/notes/{note.id}", data=form).status_code == 303
    assert "new" in client.get(f"/notes/{note.id}").text


def test_update_of_an_older_version_keeps_the_input(client: FlaskClient, make_note: MakeNote) -> None:
    note = make_note()
    form = {"csrf_token": token(client), "version": "0", "title": "mine", "body": ""}
    answer = client.post(f"/notes/{note.id}", data=form)
    assert answer.status_code == 422
    assert "Changed by somebody else" in answer.text
    assert 'value="mine"' in answer.text


def test_edit_shows_the_note_in_the_form(client: FlaskClient, make_note: MakeNote) -> None:
    note = make_note(title="Rope", body="20 m")
    page = client.get(f"/notes/{note.id}/edit").text
    assert 'value="Rope"' in page
    assert ">20 m</textarea>" in page


def test_delete_removes_the_note(client: FlaskClient, make_note: MakeNote) -> None:
    note = make_note()
    assert client.post(f"/notes/{note.id}/delete", data={"csrf_token": token(client)}).status_code == 303
    assert client.get(f"/notes/{note.id}").status_code == 404
