from flask import Flask

from app.notes.models import Note
from slipway.db.models import db


def test_update_of_a_record_stores_it(own_app: Flask) -> None:
    with own_app.test_request_context():
        note = Note(title="a")
        db.session.add(note)
        db.session.commit()
        note.update({"title": "b"})
        assert (note.title, note.version) == ("b", 2)
        db.session.rollback()
        db.session.remove()


def test_update_of_a_record_of_no_session_sets_its_attributes() -> None:
    note = Note(title="a")
    note.update({"title": "b"})
    assert note.title == "b"
