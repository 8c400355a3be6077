import pytest
from flask import Flask
from flask.testing import FlaskClient


def test_index_links_to_modules_and_api(client: FlaskClient) -> None:
    page = client.get("/").text
    assert 'href="/notes"' in page
    assert 'href="/api/docs"' in page


def test_index_tells_versions_in_development_only(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "PostgreSQL" not in client.get("/").text
    monkeypatch.setitem(app.config, "DEVELOPMENT", True)
    page = client.get("/").text
    assert "PostgreSQL" in page
    assert "make migrate" in page
