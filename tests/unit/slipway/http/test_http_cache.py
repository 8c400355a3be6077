from typing import Any

import pytest
from flask import Flask, Response, abort, jsonify
from flask.testing import FlaskClient
from marshmallow import Schema, fields

from slipway.api.blueprint import Api, Blueprint
from slipway.http.http_cache import public_cache

LOOKED, FILL = {"X-Cache-Offer": "looked"}, {"X-Cache-Offer": "fill"}
MARKED = "public, s-maxage=60"


class NumberSchema(Schema):
    number = fields.Integer()


@pytest.fixture
def worked() -> list[str]:
    """Which views have done their work."""
    return []


@pytest.fixture
def client(worked: list[str]) -> FlaskClient:
    """A client of an app with marked views."""
    app = Flask(__name__)
    app.config |= {"API_TITLE": "x", "API_VERSION": "1", "OPENAPI_VERSION": "3.1.0"}
    api = Blueprint("numbers", __name__)

    @api.get("/above")  # type: ignore[untyped-decorator] # flask-smorest's
    @public_cache(60)
    @api.response(200, NumberSchema)  # type: ignore[untyped-decorator]
    def above() -> Any:
        worked.append("above")
        return {"number": 1}

    @api.get("/below")  # type: ignore[untyped-decorator]
    @api.response(200, NumberSchema)  # type: ignore[untyped-decorator]
    @public_cache(60)
    def below() -> Any:
        worked.append("below")
        return {"number": 1}, {"X-Own": "1"}

    @app.route("/page", methods=["GET", "POST"])
    @public_cache(60)
    def page() -> str:
        worked.append("page")
        return "a page"

    @app.get("/own")
    @public_cache(60)
    def own() -> Response:
        return Response("", headers={"Cache-Control": "private"})

    @app.get("/error/<int:status>")
    @public_cache(60)
    def error(status: int) -> Response:
        abort(status)

    @app.get("/created")
    @public_cache(60)
    def created() -> Any:
        return jsonify(1), 201

    Api(app).register_blueprint(api)
    return app.test_client()


VIEWS = ["above", "below", "page"]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_answer_says_how_long_it_may_be_kept(client: FlaskClient, view: str, method: str) -> None:
    answer = client.open(f"/{view}", method=method)
    assert answer.headers.getlist("Cache-Control") == [MARKED]


def test_answer_is_otherwise_that_of_the_view(client: FlaskClient) -> None:
    answer = client.get("/below")
    assert (answer.json, answer.headers["X-Own"]) == ({"number": 1}, "1")


@pytest.mark.parametrize("view", VIEWS)
def test_view_does_no_work_where_nginx_has_looked_only(
    client: FlaskClient, worked: list[str], view: str
) -> None:
    answer = client.get(f"/{view}", headers=LOOKED)
    assert answer.headers["X-Accel-Redirect"] == "@cached"
    assert (answer.data, worked) == (b"", [])
    assert not {"Content-Type", "Cache-Control", "Set-Cookie"} & set(answer.headers.keys())


@pytest.mark.parametrize("view", VIEWS)
def test_nginx_is_told_how_long_to_hand_out_what_is_stale(client: FlaskClient, view: str) -> None:
    answer = client.get(f"/{view}", headers=FILL)
    assert answer.headers["Cache-Control"] == f"{MARKED}, stale-while-revalidate=60"


@pytest.mark.parametrize(("method", "path"), [("POST", "/page"), ("GET", "/created"), ("GET", "/error/404")])
def test_other_answers_may_not_be_kept(client: FlaskClient, method: str, path: str) -> None:
    assert "Cache-Control" not in client.open(path, method=method, headers=FILL).headers


def test_view_may_say_otherwise(client: FlaskClient) -> None:
    assert client.get("/own").headers.getlist("Cache-Control") == ["private"]


def test_document_is_that_of_the_view() -> None:
    blueprint = Blueprint("x", __name__)
    view = public_cache(60)(blueprint.response(200, NumberSchema)(lambda: {}))
    assert 200 in view._apidoc["response"]["responses"]  # type: ignore[attr-defined] # flask-smorest's


def test_time_is_one_second_or_more() -> None:
    with pytest.raises(ValueError, match="one second"):
        public_cache(0)
