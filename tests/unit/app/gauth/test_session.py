"""Sessions: how they end, and what they protect."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from app.extensions import db
from app.gauth.identity import DISCOVERY, GOOGLE
from app.gauth.models import EndedSession, User
from slipway.http.http_cache import public_cache
from tests.unit.app.gauth.conftest import Provider, Visitor

Configure = Callable[..., None]


def csrf_token(client: FlaskClient) -> str:
    """Return the token that the pages of this browser carry."""
    page = client.get("/api/docs").text
    return page.partition('data-csrf="')[2].partition('"')[0]


def sign_out(client: FlaskClient, **fields: str) -> TestResponse:
    return client.post("/gauth/logout", data={"csrf_token": csrf_token(client)} | fields)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Return a function that lets time go by for sessions."""
    real, passed = time.time, timedelta()

    def go_by(more: timedelta) -> None:
        nonlocal passed
        passed += more
        monkeypatch.setattr("app.gauth.access.time.time", lambda: real() + passed.total_seconds())

    return go_by


Later = Callable[[timedelta], None]


def test_sign_out_ends_the_session(visitor: Visitor) -> None:
    visitor.sign_in()
    answer = sign_out(visitor.client)
    assert (answer.status_code, answer.location) == (303, "/")
    assert not visitor.is_known()


def test_copy_of_the_cookie_is_not_good_after_signing_out(visitor: Visitor, other_visitor: Visitor) -> None:
    visitor.sign_in()
    other_visitor.client.set_cookie("session", visitor.cookies()["session"])
    assert other_visitor.is_known()
    sign_out(visitor.client)
    assert not other_visitor.is_known()


def test_ended_session_is_forgotten_once_it_has_expired(
    app: Flask, stored: Callable[[Any], list[Any]]
) -> None:
    with app.app_context():
        for session_id, days in (("over", -1), ("open", 1), ("open", 1)):
            EndedSession.add(session_id, datetime.now(UTC) + timedelta(days=days))
        db.session.commit()
    assert stored(EndedSession.id) == ["open"]


def test_session_of_a_release_without_ids_lasts_and_gets_one(visitor: Visitor, later: Later) -> None:
    visitor.sign_in()
    with visitor.client.session_transaction() as session:
        session["gauth"] = {name: value for name, value in session["gauth"].items() if name != "id"}
    assert visitor.is_known()
    later(timedelta(days=1))
    visitor.is_known()
    with visitor.client.session_transaction() as session:
        assert "id" in session["gauth"]


def test_signing_in_again_works(visitor: Visitor) -> None:
    visitor.sign_in()
    sign_out(visitor.client)
    visitor.sign_in()
    assert visitor.is_known()


def test_sign_out_leaves_other_browsers_signed_in(visitor: Visitor, other_visitor: Visitor) -> None:
    visitor.sign_in()
    other_visitor.sign_in()
    sign_out(visitor.client)
    assert other_visitor.is_known()


def test_sign_out_everywhere_ends_all_sessions_and_tokens(
    visitor: Visitor, other_visitor: Visitor, provider: Provider
) -> None:
    token = visitor.client.post("/gauth/token", json={"id_token": provider.id_token()}).json["token"]
    provider.behave()
    visitor.sign_in()
    other_visitor.sign_in()
    sign_out(visitor.client, everywhere="yes")
    assert not other_visitor.is_known()
    assert visitor.client.get("/api/me", headers=bearer(token)).status_code == 401


def test_id_token_from_before_signing_out_everywhere_is_refused(visitor: Visitor, provider: Provider) -> None:
    now = int(time.time())
    visitor.sign_in()
    sign_out(visitor.client, everywhere="yes")
    before, after = provider.id_token(iat=now - 10), provider.id_token(iat=now + 10)
    exchanged = [visitor.client.post("/gauth/token", json={"id_token": token}) for token in (before, after)]
    assert [answer.status_code for answer in exchanged] == [401, 201]


def test_session_ends_where_it_is_not_used(visitor: Visitor, later: Later) -> None:
    visitor.sign_in()
    later(timedelta(days=7))
    assert not visitor.is_known()


def test_session_that_is_used_lives_on(visitor: Visitor, later: Later) -> None:
    visitor.sign_in()
    for _ in range(4):
        later(timedelta(days=6))
        assert visitor.is_known()


def test_session_ends_after_its_lifetime(visitor: Visitor, later: Later) -> None:
    visitor.sign_in()
    for _ in range(4):
        later(timedelta(days=6))
        visitor.is_known()
    later(timedelta(days=6))
    assert not visitor.is_known()


def test_cookie_is_not_sent_again_with_each_answer(visitor: Visitor, later: Later) -> None:
    visitor.sign_in()
    assert "Set-Cookie" not in visitor.client.get("/api/me").headers
    later(timedelta(days=1))
    assert "Set-Cookie" in visitor.client.get("/api/me").headers


def test_lifetimes_are_settings(visitor: Visitor, later: Later, configure: Configure) -> None:
    configure(GAUTH_SESSION_IDLE=timedelta(minutes=15))
    visitor.sign_in()
    later(timedelta(minutes=15))
    assert not visitor.is_known()


def test_who_is_taken_off_the_list_is_signed_out(visitor: Visitor, configure: Configure) -> None:
    visitor.sign_in()
    configure(GAUTH_ALLOWED=["example.org"])
    assert not visitor.is_known()


def test_another_provider_signs_everybody_out(
    visitor: Visitor, provider: Provider, configure: Configure
) -> None:
    token = visitor.client.post("/gauth/token", json={"id_token": provider.id_token()}).json["token"]
    provider.behave()
    visitor.sign_in()
    configure(GAUTH_DISCOVERY_URL=GOOGLE + DISCOVERY)
    assert not visitor.is_known()
    assert visitor.client.get("/api/me", headers=bearer(token)).status_code == 401


def test_new_secret_key_signs_nobody_out(visitor: Visitor, configure: Configure) -> None:
    visitor.sign_in()
    back = visitor.choose(visitor.leave("/notes"))
    configure(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["test"])
    assert visitor.is_known()
    assert visitor.client.get(back).location == "/notes"


def test_new_secret_key_alone_signs_out(visitor: Visitor, configure: Configure) -> None:
    visitor.sign_in()
    configure(SECRET_KEY="new")
    assert not visitor.is_known()


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_session_cookie_is_kept_from_scripts_and_other_sites(
    visitor: Visitor, scheme: str, secure: bool
) -> None:
    url = visitor.client.get("/gauth/login", base_url=f"{scheme}://localhost").location
    back = visitor.choose(url)
    answer = visitor.client.get(back, base_url=f"{scheme}://localhost")
    [cookie] = [value for value in answer.headers.getlist("Set-Cookie") if value.startswith("session=")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert ("Secure" in cookie) == secure


@pytest.mark.parametrize("path", ["/", "/notes", "/api/me", "/api/docs"])
def test_answer_with_a_session_is_not_cached(visitor: Visitor, path: str) -> None:
    visitor.sign_in()
    answer = visitor.client.get(path)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer.headers["Vary"]


@pytest.mark.parametrize("path", ["/api/notes", "/api/openapi.json", "/healthz"])
def test_answer_that_nobody_is_asked_for_is_of_no_session(visitor: Visitor, path: str) -> None:
    visitor.sign_in()
    answer = visitor.client.get(path)
    assert "Cache-Control" not in answer.headers
    assert "Vary" not in answer.headers


def test_answer_to_who_sends_no_cookie_varies_by_none(visitor: Visitor) -> None:
    answer = visitor.client.post("/api/notes", json={"title": "mine"})
    assert answer.status_code == 201
    assert "Vary" not in answer.headers


def test_unsafe_request_of_a_session_wants_a_token(visitor: Visitor) -> None:
    visitor.sign_in()
    answer = visitor.client.post("/api/notes", json={"title": "forged"})
    assert answer.status_code == 400
    assert answer.json["detail"].startswith("The CSRF token is missing. This may be a page from before")


def test_unsafe_request_of_a_session_with_its_token_passes(visitor: Visitor) -> None:
    visitor.sign_in()
    headers = {"X-CSRFToken": csrf_token(visitor.client)}
    assert visitor.client.post("/api/notes", json={"title": "a"}, headers=headers).status_code == 201


def test_csrf_token_of_another_session_is_refused(visitor: Visitor, other_visitor: Visitor) -> None:
    visitor.sign_in()
    other_visitor.sign_in()
    headers = {"X-CSRFToken": csrf_token(other_visitor.client)}
    assert visitor.client.post("/api/notes", json={"title": "a"}, headers=headers).status_code == 400


def test_csrf_token_is_another_after_signing_in(visitor: Visitor) -> None:
    visitor.sign_in()
    headers = {"X-CSRFToken": csrf_token(visitor.client)}
    visitor.sign_in()
    assert visitor.client.post("/api/notes", json={"title": "a"}, headers=headers).status_code == 400


def test_unsafe_request_with_a_bearer_token_wants_no_csrf_token(visitor: Visitor) -> None:
    visitor.sign_in()
    assert visitor.client.post("/api/notes", json={"title": "a"}, headers=bearer("-")).status_code == 201


def test_unsafe_request_of_nobody_wants_no_csrf_token(visitor: Visitor) -> None:
    visitor.leave()
    assert visitor.client.post("/api/notes", json={"title": "a"}).status_code == 201


def test_csrf_protection_that_is_off_is_off(visitor: Visitor, configure: Configure) -> None:
    configure(WTF_CSRF_ENABLED=False)
    visitor.sign_in()
    assert visitor.client.post("/api/notes", json={"title": "a"}).status_code == 201


def test_sign_out_wants_a_csrf_token(visitor: Visitor) -> None:
    visitor.sign_in()
    assert visitor.client.post("/gauth/logout").status_code == 400
    assert visitor.is_known()


def test_sign_out_is_no_link(visitor: Visitor) -> None:
    assert visitor.client.get("/gauth/logout").status_code == 405


def test_sign_out_after_the_session_is_over_just_leaves(visitor: Visitor) -> None:
    assert visitor.client.post("/gauth/logout").status_code == 303


def test_page_is_served_where_the_database_cannot_tell_who_it_is(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.sign_in()

    def away(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(User, "of_session", away)
    assert visitor.client.get("/api/docs").status_code == 200
    assert visitor.client.get("/nowhere").status_code == 404
    assert visitor.client.get("/api/me").status_code == 503


def test_name_is_shown_as_text(visitor: Visitor, provider: Provider) -> None:
    provider.changes = {"name": "<script>\0" + "x" * 300}
    visitor.sign_in()
    assert "<script>x" not in visitor.client.get("/").text
    assert len(visitor.client.get("/api/me").json["name"]) == 200


@pytest.mark.parametrize(
    "picture", ["javascript:alert(1)", "http://example.com/a.png", 7, "https://" + "x" * 3000]
)
def test_picture_that_is_no_https_url_is_left_out(visitor: Visitor, provider: Provider, picture: Any) -> None:
    provider.changes = {"picture": picture}
    visitor.sign_in()
    assert visitor.client.get("/api/me").json["picture"] is None


def test_marked_answer_that_depends_on_the_session_is_not_kept(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    views: dict[str, Any] = visitor.client.application.view_functions
    monkeypatch.setitem(views, "notes_pages.index", public_cache(60)(views["notes_pages.index"]))
    anonymous = visitor.client.get("/notes", headers={"X-Cache-Offer": "fill"})
    visitor.sign_in()
    signed_in = visitor.client.get("/notes", headers={"X-Cache-Offer": "fill"})
    assert anonymous.headers["Cache-Control"].startswith("public, s-maxage=60")
    assert signed_in.headers.getlist("Cache-Control") == ["private, no-store"]
