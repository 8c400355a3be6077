import pytest
from marshmallow import ValidationError

from app.notes.schemas import NoteSchema


def test_read_only_fields_are_ignored() -> None:
    data = {"title": "a", "id": 7, "version": 3, "created_at": "x", "updated_at": None}
    assert NoteSchema().load(data) == {"title": "a"}


def test_unknown_field_is_an_error() -> None:
    with pytest.raises(ValidationError, match="Unknown field"):
        NoteSchema().load({"title": "a", "colour": "red"})


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udfff"])
def test_text_that_postgres_cannot_store_is_an_error(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        NoteSchema().load({"title": "a", "body": text})
    assert caught.value.messages == {"body": ["Not storable text."]}


@pytest.mark.parametrize("data", [None, [], "x", 1, {"title": 1}, {"title": ["a"]}, {"title": None}])
def test_wrong_types_are_errors(data: object) -> None:
    with pytest.raises(ValidationError):
        NoteSchema().load(data)  # type: ignore[type-var] # wrong on purpose
