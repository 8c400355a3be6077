from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from app.extensions import db
from config import TestingConfig

Settings = Callable[[str], dict[str, str]]


@pytest.fixture
def homeless(settings: Settings) -> FlaskClient:
    """A client of an app whose database does not answer."""
    return create_app(TestingConfig(settings("postgresql://nobody@127.0.0.1:1/nothing"))).test_client()


def test_live_does_not_need_the_database(homeless: FlaskClient) -> None:
    assert homeless.get("/healthz").status_code == 200


def test_ready_with_a_migrated_database(client: FlaskClient) -> None:
    assert client.get("/readyz").status_code == 200


def test_not_ready_without_a_database(homeless: FlaskClient) -> None:
    answer = homeless.get("/readyz")
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


def test_not_ready_with_an_older_schema(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        db.session.execute(text("DELETE FROM alembic_version"))
        db.session.commit()
    assert client.get("/readyz").status_code == 503


def test_ready_with_a_newer_schema(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = 'of_tomorrow'"))
        db.session.commit()
    assert client.get("/readyz").status_code == 200
