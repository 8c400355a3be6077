"""API tokens, for an ID token that an app got from the provider by itself."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from app.extensions import db
from app.gauth import models
from app.gauth.access import get_user
from app.gauth.models import ApiToken, User
from tests.unit.app.gauth.conftest import SUBJECT, Provider

Configure = Callable[..., None]
Exchange = Callable[..., TestResponse]
Stored = Callable[[Any], list[Any]]


@pytest.fixture
def exchange(client: FlaskClient, provider: Provider) -> Exchange:
    """Return a function that sends an ID token of Ada's, or the one given."""

    def send(id_token: str | None = None, **fields: Any) -> TestResponse:
        return client.post("/gauth/token", json={"id_token": id_token or provider.id_token()} | fields)

    return send


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_id_token_is_exchanged_for_an_api_token(client: FlaskClient, exchange: Exchange) -> None:
    answer = exchange(label="phone")
    assert (answer.status_code, answer.json["label"]) == (201, "phone")
    assert answer.json["user"]["email"] == SUBJECT
    assert client.get("/api/me", headers=bearer(answer.json["token"])).json == answer.json["user"]


@pytest.mark.parametrize(("access_token", "status"), [("yes", 201), ("no", 401), (None, 401), ("a b", 422)])
def test_address_is_told_by_userinfo_for_an_access_token(
    exchange: Exchange, provider: Provider, access_token: str | None, status: int
) -> None:
    provider.leave_to_userinfo("email", "email_verified")
    id_token = provider.sign(provider.claims(SUBJECT, None))
    fields = {} if access_token is None else {"access_token": access_token}
    assert exchange(id_token, **fields).status_code == status


def test_api_token_is_not_kept_by_caches(exchange: Exchange) -> None:
    assert exchange().headers["Cache-Control"] == "no-store"


def test_api_token_lives_as_long_as_is_set(exchange: Exchange, configure: Configure) -> None:
    configure(GAUTH_TOKEN_LIFETIME=timedelta(hours=1))
    remaining = datetime.fromisoformat(exchange().json["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < remaining <= timedelta(hours=1)


def test_api_token_is_stored_as_a_hash(exchange: Exchange, stored: Stored) -> None:
    token = exchange().json["token"]
    [row] = stored(ApiToken)
    assert token not in str(vars(row))
    assert len(row.digest) == 32


def test_both_flows_are_of_one_user(exchange: Exchange, visitor: Any, stored: Stored) -> None:
    exchange()
    visitor.sign_in()
    assert len(stored(User)) == 1


def test_id_token_for_an_app_of_ours_is_taken(
    exchange: Exchange, provider: Provider, configure: Configure
) -> None:
    configure(GAUTH_AUDIENCES=["ios"])
    assert exchange(provider.id_token(aud="ios", azp="ios")).status_code == 201
    assert exchange(provider.id_token(azp="android")).status_code == 201


@pytest.mark.parametrize(
    ("in_token", "sent", "status"),
    [
        ("n1", {"nonce": "n1"}, 201),
        ("n1", {"nonce": "n2"}, 401),
        (None, {"nonce": "n1"}, 401),
        (None, {"nonce": "None"}, 401),
        ("n1", {}, 201),
    ],
)
def test_nonce_is_compared_where_it_is_sent(
    exchange: Exchange, provider: Provider, in_token: str | None, sent: dict[str, str], status: int
) -> None:
    assert exchange(provider.id_token(nonce=in_token), **sent).status_code == status


@pytest.mark.parametrize(
    "changes",
    [{"aud": "another"}, {"iss": "https://evil.org"}, {"exp": 0}, {"email_verified": False}],
    ids=str,
)
def test_id_token_with_a_wrong_claim_is_refused(
    exchange: Exchange, provider: Provider, changes: dict[str, Any]
) -> None:
    answer = exchange(provider.id_token(**changes))
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "id_token",
    [
        "x",
        "..",
        "a.b.c",
        "a.b.c.d.e",
        "\u00e9.\u00e9.\u00e9",
        f"{encoded(b'[]')}..",
        f"{encoded(b'null')}.e30.AA",
        f"{encoded(b'{}')}.e30.AA",
        f"{encoded(b'[' * 5000)}.e30.AA",
        f"{encoded(json.dumps({'alg': 'RS256', 'kid': []}).encode())}.e30.AA",
        f"{encoded(json.dumps({'alg': 'RS256', 'kid': {}}).encode())}.e30.AA",
        f"{encoded(json.dumps({'alg': ['RS256']}).encode())}.e30.AA",
        f"{encoded(json.dumps({'alg': 7}).encode())}.e30.AA",
        f"{encoded(json.dumps({'alg': 'RS256', 'crit': ['x'], 'x': 1}).encode())}.e30.AA",
        f"{encoded(json.dumps({'alg': 'RS256', 'b64': False, 'crit': ['b64']}).encode())}.e30.AA",
        f"{encoded(json.dumps({'alg': 'RSA-OAEP', 'enc': 'A256GCM'}).encode())}.AA.AA.AA.AA",
        f"{encoded(json.dumps({'alg': 'ES256'}).encode())}.e30.AA",
    ],
)
def test_malformed_id_token_is_refused(exchange: Exchange, id_token: str) -> None:
    assert exchange(id_token).status_code == 401


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id_token": ""}, "id_token"),
        ({"id_token": "x" * 20_001}, "id_token"),
        ({"id_token": 7}, "id_token"),
        ({"label": "x" * 101}, "label"),
        ({"label": "\0"}, "label"),
        ({"label": "\ud800"}, "label"),
        ({"nonce": ""}, "nonce"),
        ({"nonce": "\ud800"}, "nonce"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_invalid_field_is_named(client: FlaskClient, fields: dict[str, Any], field: str) -> None:
    answer = client.post("/gauth/token", json={"id_token": "x"} | fields)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_not_allowed_is_refused(exchange: Exchange, configure: Configure, stored: Stored) -> None:
    configure(GAUTH_ALLOWED=["example.org"])
    assert exchange().status_code == 403
    assert stored(User) == []


def test_new_key_of_the_provider_is_fetched(exchange: Exchange, provider: Provider) -> None:
    exchange()
    provider.rotate()
    assert exchange().status_code == 201
    assert provider.asked["/keys"] == 2


def test_unknown_keys_do_not_have_them_fetched_each_time(exchange: Exchange, provider: Provider) -> None:
    header = encoded(json.dumps({"alg": "RS256", "kid": "unknown"}).encode())
    assert [exchange(f"{header}.e30.AA").status_code for _ in range(5)] == [401] * 5
    assert provider.asked["/keys"] == 2


def test_keys_of_before_serve_while_the_provider_is_down(exchange: Exchange, provider: Provider) -> None:
    exchange()
    provider.answers["/keys"] = lambda: ("down", 503)
    header = encoded(json.dumps({"alg": "RS256", "kid": "unknown"}).encode())
    assert exchange(f"{header}.e30.AA").status_code == 401
    assert exchange().status_code == 201


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x", "bearer " + "x" * 43, "BEARER \u00e9" + "x" * 42]
)
def test_bearer_token_that_is_none_is_refused(client: FlaskClient, header: str) -> None:
    answer = client.get("/api/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer error=invalid_token"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": ""}])
def test_nobody_is_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get("/api/me", headers=headers)
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_expired_api_token_is_refused(app: Flask, client: FlaskClient, exchange: Exchange) -> None:
    token = exchange().json["token"]
    with app.app_context():
        db.session.execute(db.update(ApiToken).values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
        db.session.commit()
    assert client.get("/api/me", headers=bearer(token)).status_code == 401


def test_revoked_api_token_is_refused(client: FlaskClient, exchange: Exchange) -> None:
    kept, revoked = exchange().json, exchange().json
    answer = client.delete(f"/api/me/tokens/{revoked['id']}", headers=bearer(kept["token"]))
    assert answer.status_code == 204
    assert client.get("/api/me", headers=bearer(revoked["token"])).status_code == 401
    assert client.get("/api/me", headers=bearer(kept["token"])).status_code == 200


def test_api_token_may_revoke_itself(client: FlaskClient, exchange: Exchange) -> None:
    token = exchange().json
    headers = bearer(token["token"])
    assert client.delete(f"/api/me/tokens/{token['id']}", headers=headers).status_code == 204
    assert client.delete(f"/api/me/tokens/{token['id']}", headers=headers).status_code == 401


def test_api_tokens_are_listed_newest_first(client: FlaskClient, exchange: Exchange) -> None:
    tokens = [exchange(label=label).json for label in ("phone", "tablet")]
    listed = client.get("/api/me/tokens", headers=bearer(tokens[0]["token"])).json
    assert [item["label"] for item in listed["items"]] == ["tablet", "phone"]
    assert set(listed["items"][0]) == {"id", "label", "created_at", "expires_at"}
    assert listed["next"] is None


def test_expired_api_token_is_not_listed(
    client: FlaskClient, exchange: Exchange, configure: Configure
) -> None:
    configure(GAUTH_TOKEN_LIFETIME=timedelta(seconds=-1))
    exchange()
    configure(GAUTH_TOKEN_LIFETIME=timedelta(hours=1))
    token = exchange().json
    listed = client.get("/api/me/tokens", headers=bearer(token["token"])).json
    assert [item["id"] for item in listed["items"]] == [token["id"]]


def test_api_tokens_of_others_are_not_seen(
    client: FlaskClient, exchange: Exchange, provider: Provider
) -> None:
    hers = exchange().json
    mine = exchange(provider.id_token(sub="another")).json
    headers = bearer(mine["token"])
    assert [t["id"] for t in client.get("/api/me/tokens", headers=headers).json["items"]] == [mine["id"]]
    assert client.delete(f"/api/me/tokens/{hers['id']}", headers=headers).status_code == 404
    assert client.get("/api/me", headers=bearer(hers["token"])).status_code == 200


@pytest.mark.parametrize("token_id", ["0", "x", str(2**63), "9" * 100])
def test_what_is_no_id_is_404(client: FlaskClient, exchange: Exchange, token_id: str) -> None:
    headers = bearer(exchange().json["token"])
    assert client.delete(f"/api/me/tokens/{token_id}", headers=headers).status_code == 404


def test_oldest_api_token_makes_room(
    client: FlaskClient, exchange: Exchange, monkeypatch: pytest.MonkeyPatch, stored: Stored
) -> None:
    monkeypatch.setattr(models, "TOKENS_MAXIMUM", 2)
    tokens = [exchange().json["token"] for _ in range(3)]
    known = [client.get("/api/me", headers=bearer(token)).status_code for token in tokens]
    assert known == [401, 200, 200]


def test_bearer_token_goes_before_a_session(exchange: Exchange, visitor: Any, provider: Provider) -> None:
    token = exchange(provider.id_token(sub="another", email="b@example.com")).json["token"]
    visitor.sign_in()
    assert visitor.client.get("/api/me", headers=bearer(token)).json["email"] == "b@example.com"
    assert visitor.client.get("/api/me", headers=bearer("x")).status_code == 401


def test_user_of_a_bearer_token_is_read_in_one_statement(
    app: Flask, client: FlaskClient, exchange: Exchange
) -> None:
    headers = bearer(exchange().json["token"])
    statements: list[str] = []
    with app.app_context():
        connection = db.engines[None]

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith(("SELECT", "EXECUTE")):
            statements.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    assert client.get("/api/me", headers=headers).status_code == 200
    event.remove(connection, "before_cursor_execute", note)
    assert len(statements) == 1


def test_api_document_tells_of_bearer_tokens(client: FlaskClient) -> None:
    document = client.get("/api/openapi.json").json
    assert document["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}
    assert document["paths"]["/api/me"]["get"]["security"] == [{"bearer": []}]
    assert "401" in document["paths"]["/api/me"]["get"]["responses"]
    assert "security" not in document["paths"]["/gauth/token"]["post"]


def test_user_is_read_again_where_the_session_is_gone(
    app: Flask, sign_in: Callable[[str], FlaskClient]
) -> None:
    with app.test_request_context(environ_base=sign_in("ada@example.com").environ_base):
        assert get_user() is get_user()
        db.session.remove()
        assert get_user() in db.session
