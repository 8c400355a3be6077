from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.gauth.models import ApiToken, User
from slipway.db.integrity_errors import conflict
from slipway.http.errors import handle_conflict


def refused(*records: Any) -> IntegrityError:
    """Return the error that storing `records` ends with."""
    db.session.add_all(records)
    with pytest.raises(IntegrityError) as caught:
        db.session.flush()
    db.session.rollback()
    return caught.value


def user() -> User:
    """Return Ada, who is one by issuer and subject."""
    return User(issuer="x", subject="ada", email="ada@example.com", name="Ada")


def test_unique_constraint_names_its_fields(app: Flask) -> None:
    with app.app_context():
        _, errors = conflict(refused(user(), user()))
    assert errors == {"issuer": ["Already taken."], "subject": ["Already taken."]}


def test_foreign_key_names_its_field(app: Flask) -> None:
    with app.app_context():
        _, errors = conflict(refused(ApiToken(user_id=1, digest=b"", expires_at=db.func.now())))
    assert errors == {"user_id": ["There is no such record."]}


def test_answer_says_that_it_is_a_conflict(app: Flask) -> None:
    with app.test_request_context("/api/things"):
        answer = handle_conflict(refused(user(), user()))
    assert answer.status_code == 409
    assert answer.json["detail"] == "The change conflicts with what is stored."


def test_log_does_not_have_the_values(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with app.app_context():
        conflict(refused(user(), user()))
    assert "uq_users_issuer_subject" in caplog.text
    assert "ada" not in caplog.text
