from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ..extensions import check_version, db, form_state, load_form, load_query, paginate, sent_from
from .models import Note
from .schemas import NoteQuery, NoteSchema

pages = Blueprint("notes_pages", __name__, url_prefix="/notes", template_folder="templates")


@pages.get("")
def index() -> ResponseReturnValue:
    """List notes."""
    page = paginate(db.rows, db.select(Note), **load_query(NoteQuery))
    return render_template("notes/index.html", page=page)


@pages.get("/<id:note_id>")
def show(note_id: int) -> ResponseReturnValue:
    """Show a note."""
    return render_template("notes/show.html", note=db.get_or_404(Note, note_id))


def form(note: Note | None = None) -> str:
    """Return the form of a note, by default of a new one."""
    return render_template("notes/form.html", note=note, **form_state(NoteSchema(), note))


@pages.get("/new")
def new() -> ResponseReturnValue:
    """Show the form for a new note."""
    return form()


@pages.post("")
@sent_from(new)
def create() -> ResponseReturnValue:
    """Create a note."""
    note = Note(**load_form(NoteSchema()))
    db.session.add(note)
    db.session.commit()
    return redirect(url_for(".show", note_id=note.id), 303)


@pages.get("/<id:note_id>/edit")
def edit(note_id: int) -> ResponseReturnValue:
    """Show the form for a change."""
    return form(db.get_or_404(Note, note_id))


@pages.post("/<id:note_id>")
@sent_from(edit)
def update(note_id: int) -> ResponseReturnValue:
    """Change a note."""
    note = db.get_or_404(Note, note_id)
    data = load_form(NoteSchema(), note)
    check_version(note)
    note.update(data)
    db.session.commit()
    return redirect(url_for(".show", note_id=note.id), 303)


@pages.get("/<id:note_id>/delete")
def ask(note_id: int) -> ResponseReturnValue:
    """Ask whether a note is to be deleted."""
    note = db.get_or_404(Note, note_id)
    return render_template("notes/delete.html", note=note, **form_state(NoteSchema(), note))


@pages.post("/<id:note_id>/delete")
@sent_from(ask)
def delete(note_id: int) -> ResponseReturnValue:
    """Delete a note."""
    note = db.get_or_404(Note, note_id)
    check_version(note)
    db.session.delete(note)
    db.session.commit()
    return redirect(url_for(".index"), 303)
