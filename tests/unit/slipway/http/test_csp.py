from flask import Flask
from flask.testing import FlaskClient

from slipway.http import csp

HEADER = "Content-Security-Policy"


def test_page_loads_from_here_only(client: FlaskClient) -> None:
    assert client.get("/notes").headers[HEADER] == csp.policy()


def test_page_of_an_error_has_the_policy(client: FlaskClient) -> None:
    assert client.get("/nowhere").headers[HEADER] == csp.policy()


def test_api_page_alone_takes_inline_styles(client: FlaskClient) -> None:
    assert "style-src 'self' 'unsafe-inline'" in client.get("/api/docs").headers[HEADER]
    assert "unsafe-inline" not in csp.policy()


def test_what_is_no_page_is_left_to_nginx(client: FlaskClient) -> None:
    assert HEADER not in client.get("/api/notes").headers


def test_page_may_have_a_policy_of_its_own() -> None:
    app = Flask(__name__)
    csp.init_app(app)
    app.add_url_rule("/", view_func=lambda: ("", {HEADER: csp.policy(img_src="*")}))
    assert "img-src *;" in app.test_client().get("/").headers[HEADER]
