"""A name that has led to a server which takes no writes, as a standby, and leads to another by now."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url

from app.extensions import db
from tests.unit.conftest import admin


@pytest.fixture
def misled(own_app: Flask, database: str) -> FlaskClient:
    """A client of an app whose connections are to such a server; those that it makes from now on are not."""
    name = make_url(database).database
    assert own_app.test_client().post("/api/notes", json={"title": "before"}).status_code == 201
    with admin(database) as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        for engine in db.engines.values():
            engine.dispose()
            engine.connect().close()
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        connection.exec_driver_sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    return own_app.test_client()


def test_write_is_a_503_until_the_next_connection(misled: FlaskClient) -> None:
    refused = misled.post("/api/notes", json={"title": "a"})
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert misled.post("/api/notes", json={"title": "a"}).status_code == 201


def test_change_is_a_503_until_the_next_connection(misled: FlaskClient) -> None:
    assert misled.patch("/api/notes/1", json={"title": "b"}).status_code == 503
    assert misled.patch("/api/notes/1", json={"title": "b"}).status_code == 200


def test_not_ready_until_the_next_connection(misled: FlaskClient) -> None:
    refused = misled.get("/readyz")
    assert refused.status_code == 503
    assert misled.get("/readyz").status_code == 200


def test_reads_go_on(misled: FlaskClient) -> None:
    assert misled.get("/api/notes").status_code == 200
