from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from ..extensions import PageArguments, check_version, db, form_data, paginate
from .models import Note
from .schemas import NoteSchema

pages = Blueprint("notes_pages", __name__, url_prefix="/notes", template_folder="templates")


@pages.get("")
def index() -> ResponseReturnValue:
    """List notes, newest first."""
    arguments = PageArguments().load(request.args.to_dict())
    page = paginate(db.session, db.select(Note), Note.id, **arguments)
    return render_template("notes/index.html", page=page)


@pages.get("/<id:note_id>")
def show(note_id: int) -> ResponseReturnValue:
    """Show a note."""
    return render_template("notes/show.html", note=db.get_or_404(Note, note_id))


@pages.get("/new")
def new() -> ResponseReturnValue:
    """Show the form for a new note."""
    return render_template("notes/form.html", note=None, values={}, errors={})


@pages.post("")
def create() -> ResponseReturnValue:
    """Create a note."""
    try:
        note = Note(**NoteSchema().load(form_data()))
    except ValidationError as error:
        return render_template(
            "notes/form.html", note=None, values=request.form, errors=error.normalized_messages()
        ), 422
    db.session.add(note)
    db.session.commit()
    return redirect(url_for(".show", note_id=note.id), 303)


@pages.get("/<id:note_id>/edit")
def edit(note_id: int) -> ResponseReturnValue:
    """Show the form for a change."""
    note = db.get_or_404(Note, note_id)
    return render_template("notes/form.html", note=note, values=NoteSchema().dump(note), errors={})


@pages.post("/<id:note_id>")
def update(note_id: int) -> ResponseReturnValue:
    """Change a note."""
    note = db.get_or_404(Note, note_id)
    try:
        data = NoteSchema().load(form_data())
        check_version(note)
    except ValidationError as error:
        return render_template(
            "notes/form.html", note=note, values=request.form, errors=error.normalized_messages()
        ), 422
    note.update(data)
    db.session.commit()
    return redirect(url_for(".show", note_id=note.id), 303)


@pages.post("/<id:note_id>/delete")
def delete(note_id: int) -> ResponseReturnValue:
    """Delete a note."""
    db.session.delete(db.get_or_404(Note, note_id))
    db.session.commit()
    return redirect(url_for(".index"), 303)
