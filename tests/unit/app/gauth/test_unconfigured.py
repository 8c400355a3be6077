"""Without a provider there is nothing to see."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from config import DevelopmentConfig

ENDPOINTS = [
    ("GET", "/gauth/login"),
    ("GET", "/gauth/callback"),
    ("POST", "/gauth/logout"),
    ("POST", "/gauth/token"),
    ("GET", "/api/me"),
    ("GET", "/api/me/tokens"),
    ("DELETE", "/api/me/tokens/1"),
]


@pytest.fixture
def unconfigured(app: Flask) -> FlaskClient:
    """A browser that comes to an app without a provider."""
    return app.test_client()


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_endpoints_are_404(unconfigured: FlaskClient, method: str, path: str) -> None:
    answer = unconfigured.open(path, method=method)
    assert answer.status_code == 404
    assert "GAUTH" not in answer.text


def test_token_endpoint_answers_a_problem(unconfigured: FlaskClient) -> None:
    assert unconfigured.post("/gauth/token").content_type == "application/problem+json"


def test_pages_have_no_link(unconfigured: FlaskClient) -> None:
    page = unconfigured.get("/notes").text
    assert "gauth" not in page
    assert "Sign in" not in page


def test_pages_do_not_depend_on_cookies(unconfigured: FlaskClient) -> None:
    assert "Vary" not in unconfigured.get("/notes").headers


def test_developer_is_told_what_is_missing(postgres: str, settings: Callable[[str], dict[str, str]]) -> None:
    app = create_app(DevelopmentConfig(settings(postgres)))
    page = app.test_client().get("/gauth/login").text
    assert "Signing in is off, for want of GAUTH_CLIENT_ID and GAUTH_CLIENT_SECRET." in page
