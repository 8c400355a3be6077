"""The folder, dropped into a bare Flask app that has its own extensions.py and layout.html."""

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, render_template
from flask.testing import FlaskClient
from sqlalchemy.exc import StatementError

from tests.support import ROOT
from tests.unit.app.gauth.conftest import Provider, Visitor

EXTENSIONS = """
from flask_smorest import Api, Blueprint
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
db = SQLAlchemy()
rest = Api()
"""

APP = """
from flask import Flask, render_template

from . import gauth, things
from .extensions import csrf, db, rest


def create_app(**settings):
    app = Flask(__name__)
    app.config |= {"API_TITLE": "Bare", "API_VERSION": "1", "OPENAPI_VERSION": "3.1.0"} | settings
    for extension in db, csrf, rest, gauth:
        extension.init_app(app)
    for module in gauth, things:
        app.register_blueprint(module.pages)
    rest.register_blueprint(gauth.api)
    csrf.exempt(gauth.api)
    with app.app_context():
        db.create_all()
    return app
"""

THINGS = """
from flask import Blueprint, make_response, render_template
from sqlalchemy.orm import Mapped, mapped_column

from .extensions import db
from .gauth import Owned, current_user, login_required

pages = Blueprint("things", __name__)


class Thing(Owned, db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)


@pages.get("/")
def index():
    return render_template("layout.html")


@pages.get("/cached")
def cached():
    answer = make_response(render_template("layout.html"))
    answer.headers["Cache-Control"] = "public, s-maxage=60"
    return answer


@pages.get("/text")
def text():
    return "text", {"Cache-Control": "public"}


@pages.get("/mine")
@login_required
def mine():
    return "mine", {"Cache-Control": "public"}


@pages.get("/whoami")
@login_required
def show_me():
    return current_user.name


@pages.get("/make")
@login_required
def make():
    thing = Thing()
    db.session.add(thing)
    db.session.commit()
    return {"id": thing.id}


@pages.get("/things")
@login_required
def list_them():
    return {"ids": [thing.id for thing in db.session.scalars(Thing.owned())]}


@pages.route("/things/<int:thing_id>", methods=["GET", "POST"])
@login_required
def show(thing_id):
    return {"id": Thing.owned_or_404(thing_id).id}
"""


@pytest.fixture
def bare_app(
    tmp_path: Path, database: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """A bare app in which the folder was put."""
    package = tmp_path / "bare"
    shutil.copytree(ROOT / "web" / "app" / "gauth", package / "gauth")
    (package / "templates").mkdir()
    (package / "templates" / "layout.html").write_text('{% include "gauth/menu.html" %}')
    (package / "__init__.py").write_text(APP)
    (package / "extensions.py").write_text(EXTENSIONS)
    (package / "things.py").write_text(THINGS)
    monkeypatch.syspath_prepend(str(tmp_path))
    client_id, client_secret = provider.client
    app = importlib.import_module("bare").create_app(
        SECRET_KEY="bare",
        SQLALCHEMY_DATABASE_URI=database,
        GAUTH_CLIENT_ID=client_id,
        GAUTH_CLIENT_SECRET=client_secret,
        GAUTH_DISCOVERY_URL=f"{provider.issuer}/.well-known/openid-configuration",
    )
    yield app
    with app.app_context():
        importlib.import_module("bare.extensions").db.engine.dispose()
    for name in [name for name in sys.modules if name.partition(".")[0] == "bare"]:
        del sys.modules[name]


@pytest.fixture
def client(bare_app: Flask) -> FlaskClient:
    """A browser that comes to the bare app."""
    return bare_app.test_client()


def test_folder_signs_in_where_it_is_put(visitor: Visitor) -> None:
    assert visitor.client.get("/whoami").location == "/gauth/login?next=/whoami"
    assert visitor.sign_in(next_path="/whoami").location == "/whoami"
    assert visitor.client.get("/whoami").text == "Ada Lovelace"
    assert "Sign out everywhere" in visitor.client.get("/").text


def test_folder_gives_api_tokens_where_it_is_put(client: FlaskClient, provider: Provider) -> None:
    token = client.post("/gauth/token", json={"id_token": provider.id_token()}).json["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/me", headers=headers).json["name"] == "Ada Lovelace"
    assert client.get("/api/me").status_code == 401
    assert client.delete("/api/me/tokens/7", headers=headers).status_code == 404


def test_record_belongs_to_who_made_it(visitor: Visitor, other_visitor: Visitor) -> None:
    visitor.sign_in()
    other_visitor.sign_in("grace@example.org")
    thing = visitor.client.get("/make").json["id"]
    assert visitor.client.get("/things").json == {"ids": [thing]}
    assert visitor.client.get(f"/things/{thing}").json == {"id": thing}
    assert other_visitor.client.get("/things").json == {"ids": []}
    assert other_visitor.client.get(f"/things/{thing}").status_code == 404


def test_page_marked_cacheable_is_not_where_it_shows_a_session(visitor: Visitor) -> None:
    assert visitor.client.get("/cached").headers["Cache-Control"] == "public, s-maxage=60"
    visitor.sign_in()
    assert visitor.client.get("/cached").headers["Cache-Control"] == "private, no-store"


def test_cacheable_answer_has_no_session_in_it(visitor: Visitor) -> None:
    visitor.sign_in()
    answer = visitor.client.get("/text")
    assert answer.headers["Cache-Control"] == "public"
    assert "Set-Cookie" not in answer.headers


def test_answer_marked_cacheable_is_not_where_it_is_for_one_user(
    client: FlaskClient, provider: Provider
) -> None:
    token = client.post("/gauth/token", json={"id_token": provider.id_token()}).json["token"]
    answer = client.get("/mine", headers={"Authorization": f"Bearer {token}"})
    assert (answer.text, answer.headers["Cache-Control"]) == ("mine", "private, no-store")


def test_401_of_another_host_says_what_is_wanted(client: FlaskClient) -> None:
    assert client.get("/api/me").headers["WWW-Authenticate"] == "Bearer"


def test_template_is_rendered_without_a_request(bare_app: Flask) -> None:
    with bare_app.app_context():
        assert "Sign in" not in render_template("layout.html")


def test_requests_in_one_app_context_do_not_share_a_user(visitor: Visitor, bare_app: Flask) -> None:
    with bare_app.app_context():
        assert visitor.client.get("/whoami").status_code == 303
        visitor.sign_in()
        assert visitor.client.get("/whoami").status_code == 200


def test_ways_back_stay_below_the_prefix(client: FlaskClient, provider: Provider) -> None:
    below = {"SCRIPT_NAME": "/below"}
    answer = client.get("/whoami", environ_overrides=below)
    assert answer.location == "/below/gauth/login?next=/below/whoami"
    assert client.post("/gauth/logout", environ_overrides=below).location == "/below/"


def test_record_of_nobody_says_what_it_wants(bare_app: Flask) -> None:
    things = importlib.import_module("bare.things")
    with bare_app.app_context():
        things.db.session.add(things.Thing())
        with pytest.raises(StatementError, match="owner_id= must say whose"):
            things.db.session.commit()


def test_login_required_keeps_the_query(client: FlaskClient) -> None:
    assert client.get("/things?a=b").location == "/gauth/login?next=/things?a%3Db"


def test_login_required_does_not_lead_a_form_away(client: FlaskClient, bare_app: Flask) -> None:
    bare_app.config["WTF_CSRF_ENABLED"] = False
    assert client.post("/things/1").status_code == 401
