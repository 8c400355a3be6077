from marshmallow import validate
from marshmallow_sqlalchemy import auto_field

from ..extensions import Schema, page_of, query_of
from .models import Note


class NoteSchema(Schema):
    class Meta:
        model = Note

    title = auto_field(validate=validate.Length(1, 200))
    body = auto_field(validate=validate.Length(max=50_000))


NotePage = page_of(NoteSchema)
NoteQuery = query_of(NoteSchema)
