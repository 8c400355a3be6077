from typing import Any

from flask import url_for

from ..extensions import Blueprint, check_match, db, etag, paginate
from .models import Note
from .schemas import NotePage, NoteQuery, NoteSchema

api = Blueprint("notes", __name__, url_prefix="/api/notes", description="Notes, newest first")


@api.get("")
@api.arguments(NoteQuery, location="query")
@api.response(200, NotePage)
def index(arguments: dict[str, Any]) -> Any:
    """List notes"""
    return paginate(db.rows, db.select(Note), **arguments)


@api.post("")
@api.arguments(NoteSchema)
@api.response(201, NoteSchema)
def create(data: dict[str, Any]) -> Any:
    """Create a note"""
    note = db.rows.insert(Note, data)
    return note, etag(note) | {"Location": url_for(".show", note_id=note.id)}


@api.get("/<id:note_id>")
@api.response(200, NoteSchema)
def show(note_id: int) -> Any:
    """Show a note"""
    note = db.rows.get_or_404(Note, note_id)
    return note, etag(note)


@api.patch("/<id:note_id>")
@api.arguments(NoteSchema(partial=True))
@api.response(200, NoteSchema)
def update(data: dict[str, Any], note_id: int) -> Any:
    """Change a note"""
    note = db.get_or_404(Note, note_id)
    check_match(note)
    note.update(data)
    db.session.commit()
    return note, etag(note)


@api.delete("/<id:note_id>")
@api.response(204)
def delete(note_id: int) -> None:
    """Delete a note"""
    note = db.get_or_404(Note, note_id)
    check_match(note)
    db.session.delete(note)
    db.session.commit()
