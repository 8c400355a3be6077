from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.extensions import db
from app.notes.models import Note


@pytest.fixture
def make_note(app: Flask) -> Callable[..., Note]:
    """Return a function that stores a note."""

    def make(**values: Any) -> Note:
        note = Note(**{"title": "A note", "body": ""} | values)
        with app.app_context():
            db.session.add(note)
            db.session.commit()
        return note

    return make
