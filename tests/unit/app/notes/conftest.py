from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.notes.models import Note
from tests.unit.forms import csrf_token


def store_note(**values: Any) -> Note:
    """Store a note: `values`, and others that will do."""
    others: dict[str, Any] = {"title": "A title", "body": "A body"}
    made = Note(**others | values)
    db.session.add(made)
    db.session.commit()
    return made


@pytest.fixture
def make_note(app: Flask) -> Callable[..., Note]:
    """Return a function that stores a note."""

    def make(**values: Any) -> Note:
        with app.app_context():
            return store_note(**values)

    return make


@pytest.fixture
def data() -> dict[str, Any]:
    """What a note is created from."""
    return {"title": "A title", "body": "A body"}


@pytest.fixture
def form(client: FlaskClient) -> dict[str, str]:
    """What the form for a note is sent as."""
    return {"csrf_token": csrf_token(client, "/notes/new"), "title": "A title", "body": "A body"}
