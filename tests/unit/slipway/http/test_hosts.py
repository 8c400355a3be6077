from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from config import TestingConfig


@pytest.fixture
def client(postgres: str, settings: Callable[[str], dict[str, str]], app: Flask) -> FlaskClient:
    """A client of an app that is served at www.example.com and the hosts of example.org."""
    hosts = {"TRUSTED_HOSTS": "www.example.com .example.org"}
    return create_app(TestingConfig(settings(postgres) | hosts)).test_client()


@pytest.mark.parametrize("host", ["www.example.com", "www.example.com:80", "a.example.org", "localhost:80"])
def test_trusted_host_is_served(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "example.com", "www.example.com.evil.example", "[::1]"])
@pytest.mark.parametrize("path", ["/", "/api/notes", "/nowhere"])
def test_other_host_is_refused(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
