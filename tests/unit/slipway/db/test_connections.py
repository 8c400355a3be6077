"""What comes of a connection that has broken."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from werkzeug.exceptions import NotFound

from app.extensions import db
from app.notes.models import Note
from slipway.db.rows import alone
from tests.unit.conftest import admin

KILL = select(func.pg_terminate_backend(func.pg_backend_pid()))


def close_connections(postgres: str) -> None:
    """Have the server close the connections to the database of a test."""
    with admin(postgres) as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = 'scratch'")
        )


@pytest.fixture
def own_client(own_app: Flask) -> FlaskClient:
    """A client whose requests have opened a connection."""
    client = own_app.test_client()
    assert client.get("/api/notes").status_code == 200
    assert client.post("/api/notes", json={"title": "a"}).status_code == 201
    return client


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 201)])
def test_connection_that_was_closed_meanwhile_is_replaced(
    own_client: FlaskClient, postgres: str, method: str, status: int
) -> None:
    close_connections(postgres)
    assert own_client.open("/api/notes", method=method, json={"title": "b"}).status_code == status


@pytest.fixture
def runs(own_app: Flask) -> list[str]:
    """What the views of `breaking` note, each time that they run; their first loses its connection."""
    runs: list[str] = []

    def breaking(write: bool = False) -> dict[str, str]:
        runs.append("run")
        if write:
            db.session.add(Note(title="a"))
            db.session.flush()
        if len(runs) == 1:
            with alone(db.engine) as connection:
                connection.execute(KILL)
        return {"ran": "well"}

    def locking() -> dict[str, str]:
        db.session.execute(select(func.pg_advisory_xact_lock(1)))
        return breaking()

    def storing() -> dict[str, str]:
        db.session.add(Note(title="a"))
        db.session.commit()
        return breaking()

    def missing() -> dict[str, str]:
        breaking()
        raise NotFound

    own_app.add_url_rule("/breaking", view_func=breaking, methods=["GET", "POST"])
    own_app.add_url_rule("/locking", view_func=locking)
    own_app.add_url_rule("/missing", view_func=missing)
    own_app.add_url_rule("/storing", view_func=storing)
    own_app.add_url_rule("/writing", "writing", lambda: breaking(write=True))
    return runs


@pytest.mark.parametrize(
    ("method", "path", "status", "times"),
    [
        ("GET", "/breaking", 200, 2),
        ("GET", "/missing", 404, 2),
        ("POST", "/breaking", 503, 1),
        ("GET", "/locking", 503, 1),
        ("GET", "/writing", 503, 1),
        ("GET", "/storing", 503, 1),
    ],
)
def test_request_whose_connection_breaks_runs_again_where_that_does_no_harm(
    own_app: Flask, runs: list[str], method: str, path: str, status: int, times: int
) -> None:
    own_app.config["WTF_CSRF_ENABLED"] = False
    assert own_app.test_client().open(path, method=method).status_code == status
    assert len(runs) == times


def test_request_whose_connection_breaks_twice_is_a_503(
    own_app: Flask, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def always() -> str:
        with alone(db.engine) as connection:
            return str(connection.scalar(KILL))

    own_app.add_url_rule("/always", view_func=always)
    assert own_app.test_client().get("/always").status_code == 503
