from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from app import create_app
from app.extensions import db
from config import DevelopmentConfig


def test_error_under_api_is_a_problem_document(client: FlaskClient) -> None:
    answer = client.get("/api/nowhere")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": answer.json["detail"],
        "request_id": answer.headers["X-Request-ID"],
    }


def test_error_elsewhere_is_a_page(client: FlaskClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.headers["X-Request-ID"] in answer.text


@pytest.mark.parametrize("path", ["/", "/api/notes"])
def test_host_that_is_none_is_refused(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers={"Host": "a" * 64 + ".example"}).status_code == 400


def test_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    answer = client.put("/api/notes")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_unknown_exception_tells_nothing(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode() -> None:
        raise RuntimeError("the secret of /srv/web")

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(app.view_functions, "notes.index", explode)
    answer = client.get("/api/notes")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_developer_is_told_what_to_do(postgres: str, settings: Callable[[str], dict[str, str]]) -> None:
    app = create_app(DevelopmentConfig(settings(postgres)))

    def lack(**_: object) -> str:
        raise ProgrammingError("SELECT", {}, Exception("column notes.subtitle does not exist"))

    app.view_functions["notes.index"] = lack
    answer = app.test_client().get("/api/notes")
    assert answer.status_code == 500
    assert answer.json["detail"] == "The database does not have what the models say: make migrate"


def test_database_that_is_away_is_a_503_with_retry_after(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused at 10.0.0.1"))

    monkeypatch.setitem(app.view_functions, "notes.index", fail)
    answer = client.get("/api/notes")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "10.0.0.1" not in answer.text


def test_body_that_is_too_large_is_refused(client: FlaskClient, app: Flask) -> None:
    answer = client.post("/api/notes", json={"title": "x", "body": "y" * app.config["MAX_CONTENT_LENGTH"]})
    assert answer.status_code == 413


def test_conflict_is_logged_without_the_values(
    client: FlaskClient, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context():
        db.session.execute(text("ALTER TABLE notes ADD CONSTRAINT uq_notes_title UNIQUE (title)"))
        db.session.commit()
    answers = [client.post("/api/notes", json={"title": "a secret"}).status_code for _ in range(2)]
    assert answers == [201, 409]
    assert "conflict: uq_notes_title" in caplog.text
    assert "a secret" not in caplog.text
