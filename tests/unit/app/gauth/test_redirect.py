"""Signing in by way of the provider's own page."""

import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, Response, redirect, request
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.gauth import attempts, documents, transport
from app.gauth.identity import DISCOVERY, GOOGLE, Identity, IdentityError
from app.gauth.models import User
from app.gauth.provider import ALGORITHMS
from app.gauth.provider import Provider as OpenIDProvider
from engines.demo_provider import DemoProvider
from tests.unit.app.gauth.conftest import SUBJECT, Provider, Visitor

Configure = Callable[..., None]
Stored = Callable[[Any], list[Any]]


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_sign_in_comes_back_to_where_it_began(visitor: Visitor) -> None:
    answer = visitor.sign_in(next_path="/notes?limit=2")
    assert (answer.status_code, answer.location) == (303, "/notes?limit=2")


def test_sign_in_stores_who_the_provider_says(visitor: Visitor, provider: Provider, stored: Stored) -> None:
    provider.changes = {"hd": "Example.com", "picture": "https://example.com/ada.png"}
    visitor.sign_in()
    [user] = stored(User)
    assert (user.issuer, user.subject) == (provider.issuer, SUBJECT)
    assert (user.email, user.name, user.hosted_domain) == (SUBJECT, "Ada Lovelace", "example.com")
    assert visitor.client.get("/api/me").json == {
        "id": user.id,
        "email": SUBJECT,
        "name": "Ada Lovelace",
        "picture": "https://example.com/ada.png",
        "signed_in_at": user.signed_in_at.isoformat(),
    }


def test_provider_is_asked_with_pkce_state_and_nonce(visitor: Visitor) -> None:
    first, second = query(visitor.leave()), query(visitor.leave())
    assert first["response_type"] == "code"
    assert first["scope"].split() == ["openid", "email", "profile"]
    assert first["redirect_uri"] == "http://localhost/gauth/callback"
    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 30
        assert first[name] != second[name]


def test_user_is_known_by_the_subject(visitor: Visitor, provider: Provider, stored: Stored) -> None:
    visitor.sign_in()
    provider.changes = {"email": "lovelace@example.com", "name": "Ada King"}
    visitor.sign_in()
    [user] = stored(User)
    assert (user.email, user.name) == ("lovelace@example.com", "Ada King")


def test_address_that_changed_hands_is_another_user(
    visitor: Visitor, provider: Provider, stored: Stored
) -> None:
    visitor.sign_in()
    provider.changes = {"sub": "another"}
    visitor.sign_in()
    assert {user.subject for user in stored(User)} == {SUBJECT, "another"}


def test_second_account_takes_the_place_of_the_first(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.sign_in("grace@example.org")
    assert visitor.client.get("/api/me").json["email"] == "grace@example.org"


def test_two_tabs_sign_in_at_once(visitor: Visitor) -> None:
    tabs = [visitor.leave("/notes"), visitor.leave("/api/docs")]
    answers = [visitor.client.get(visitor.choose(url)) for url in tabs]
    assert [answer.location for answer in answers] == ["/notes", "/api/docs"]


def test_sign_ins_that_are_never_finished_do_not_pile_up(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, begun = time.time() - 100, []
    for number in range(attempts.MAXIMUM + 3):
        monkeypatch.setattr("itsdangerous.timed.time.time", lambda passed=number: now + passed)
        begun.append(visitor.leave())
    monkeypatch.undo()
    assert len([name for name in visitor.cookies() if "_gauth_" in name]) == attempts.MAXIMUM
    statuses = [visitor.client.get(visitor.choose(url)).status_code for url in begun]
    assert statuses == [400] * 3 + [303] * attempts.MAXIMUM


def test_denial_is_told_and_signs_nobody_in(visitor: Visitor) -> None:
    answer = visitor.client.get(visitor.choose(visitor.leave(), ""))
    assert answer.status_code == 403
    assert "cancelled" in answer.text
    assert not visitor.is_known()


def test_error_of_the_provider_is_logged_and_is_no_cancellation(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    error = {"error": "invalid_request", "error_description": "unsupported prompt value"}
    answer = visitor.client.get("/gauth/callback", query_string=query(visitor.leave()) | error)
    assert answer.status_code == 403
    assert "cancelled" not in answer.text
    assert "the provider says 'invalid_request', 'unsupported prompt value'" in caplog.text


def test_denial_ends_the_attempt(visitor: Visitor) -> None:
    back = visitor.choose(visitor.leave(), "")
    visitor.client.get(back)
    assert visitor.client.get(back).status_code == 400


def test_replayed_callback_is_refused(visitor: Visitor) -> None:
    back = visitor.choose(visitor.leave())
    assert visitor.client.get(back).status_code == 303
    visitor.client.delete_cookie("session")
    assert visitor.client.get(back).status_code == 400
    assert not visitor.is_known()


def test_going_back_to_a_callback_leads_home(visitor: Visitor) -> None:
    back = visitor.choose(visitor.leave())
    visitor.client.get(back)
    visitor.sign_in("grace@example.org")
    assert visitor.client.get(back).location == "/"
    assert visitor.client.get("/api/me").json["email"] == "grace@example.org"


def test_late_callback_is_refused(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    back = visitor.choose(visitor.leave())
    monkeypatch.setattr(attempts, "MAX_AGE", -1)
    assert visitor.client.get(back).status_code == 400
    assert not visitor.is_known()


@pytest.mark.parametrize("changed", ["state=x", "state=", "state=%00%F0", ""])
def test_callback_with_another_state_is_refused(visitor: Visitor, changed: str) -> None:
    code = query(visitor.choose(visitor.leave()))["code"]
    assert visitor.client.get(f"/gauth/callback?code={code}&{changed}").status_code == 400


def test_callback_in_another_browser_is_refused(visitor: Visitor, other_visitor: Visitor) -> None:
    back = visitor.choose(visitor.leave())
    assert other_visitor.client.get(back).status_code == 400
    assert not other_visitor.is_known()


def test_attempt_in_the_cookie_of_another_is_refused(visitor: Visitor) -> None:
    states = [query(visitor.leave())["state"] for _ in range(2)]
    code = query(visitor.choose(visitor.leave()))["code"]
    with visitor.client.application.test_request_context():
        names = [attempts.cookie_name(state) for state in states]
    visitor.client.set_cookie(names[0], visitor.cookies()[names[1]], path="/gauth")
    assert visitor.client.get(f"/gauth/callback?code={code}&state={states[0]}").status_code == 400


def test_stolen_code_is_of_no_use(visitor: Visitor, other_visitor: Visitor) -> None:
    stolen = query(visitor.choose(visitor.leave()))["code"]
    state = query(other_visitor.leave())["state"]
    answer = other_visitor.client.get(f"/gauth/callback?code={stolen}&state={state}")
    assert answer.status_code == 401
    assert not other_visitor.is_known()


def by_hand(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """Return a token that no library would make."""

    def encode(part: bytes) -> bytes:
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    text = b".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    return (text + b"." + encode(sign(text))).decode()


def signed_by_another(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048))


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": ["client", "another"]},
        {"aud": []},
        {"aud": None},
        {"iss": "https://accounts.google.com"},
        {"iss": None},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 256},
        {"exp": 0},
        {"exp": "never"},
        {"exp": None},
        {"iat": None},
        {"iat": 2**40},
        {"email": None},
        {"email": "nobody"},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "false"},
        {"email_verified": 1},
    ],
    ids=str,
)
def test_id_token_with_a_wrong_claim_is_refused(
    visitor: Visitor, provider: Provider, changes: dict[str, Any]
) -> None:
    provider.changes = changes
    assert visitor.sign_in().status_code == 401
    assert not visitor.is_known()


def test_id_token_that_is_not_signed_is_refused(visitor: Visitor, provider: Provider) -> None:
    provider.signed = lambda claims: by_hand({"alg": "none"}, claims, lambda text: b"")
    assert visitor.sign_in().status_code == 401


@pytest.mark.parametrize("encoding", ["PEM", "DER"])
def test_id_token_signed_with_the_public_key_as_a_secret_is_refused(
    visitor: Visitor, provider: Provider, encoding: Literal["PEM", "DER"]
) -> None:
    key = provider.keys[0]
    public = key.as_bytes(encoding, private=False)
    header = {"alg": "HS256", "kid": key.kid}
    provider.signed = lambda claims: by_hand(header, claims, lambda text: hmac.digest(public, text, "sha256"))
    assert visitor.sign_in().status_code == 401


def test_id_token_signed_with_another_key_is_refused(visitor: Visitor, provider: Provider) -> None:
    provider.signed = signed_by_another
    assert visitor.sign_in().status_code == 401


def test_key_rotation_is_followed(visitor: Visitor, provider: Provider) -> None:
    visitor.sign_in()
    provider.rotate()
    assert visitor.sign_in("grace@example.org").status_code == 303


@pytest.mark.parametrize(("seconds", "status"), [(-50, 303), (50, 303), (-120, 401), (120, 401)])
def test_clock_of_the_provider_may_be_off_a_little(
    visitor: Visitor, provider: Provider, seconds: int, status: int
) -> None:
    now = int(time.time())
    provider.changes = {"iat": now + seconds, "exp": now + seconds if seconds < 0 else now + 600}
    assert visitor.sign_in().status_code == status


def garbage() -> ResponseReturnValue:
    return "<html>", 200


def failing() -> ResponseReturnValue:
    return {"error": "server_error"}, 500


def a_list() -> ResponseReturnValue:
    return "[]", 200, {"Content-Type": "application/json"}


def empty() -> ResponseReturnValue:
    return {}, 200


def deep() -> ResponseReturnValue:
    return "[" * 100_000, 200, {"Content-Type": "application/json"}


NONSENSE = [garbage, failing, a_list, empty, deep]
PATHS = [DISCOVERY, "/keys", "/token"]


@pytest.mark.parametrize("fault", NONSENSE)
@pytest.mark.parametrize("path", PATHS)
def test_nonsense_of_the_provider_is_told(
    visitor: Visitor, provider: Provider, path: str, fault: Callable[[], ResponseReturnValue]
) -> None:
    provider.answers[path] = fault
    answer = visitor.client.get("/gauth/login") if path == DISCOVERY else visitor.sign_in()
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"]
    assert "The sign-in service does not answer" in answer.text


# What follows is right in the end, and refused for how it comes.


def elsewhere(_: bytes) -> ResponseReturnValue | None:
    return None if "again" in request.args else redirect(f"{request.path}?again", 307)


def huge(answer: bytes) -> ResponseReturnValue:
    return answer + b" " * transport.SIZE_MAXIMUM, 200, {"Content-Type": "application/json"}


def dripping(answer: bytes) -> ResponseReturnValue:
    def drops() -> Iterator[bytes]:
        for _ in range(20):
            yield b" "
            time.sleep(0.1)
        yield answer

    return Response(drops(), 200, {"Content-Type": "application/json"})


def silent(_: bytes) -> None:
    time.sleep(2)


@pytest.mark.parametrize("fault", [elsewhere, huge, dripping, silent])
@pytest.mark.parametrize("path", PATHS)
def test_answer_that_is_late_large_or_elsewhere_is_not_taken(
    visitor: Visitor,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    fault: Callable[[bytes], ResponseReturnValue | None],
) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", 0.5)
    provider.deliver[path] = fault
    answer = visitor.client.get("/gauth/login") if path == DISCOVERY else visitor.sign_in()
    assert answer.status_code == 503, answer.text


def test_headers_that_drip_are_not_waited_for(
    visitor: Visitor, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", 0.5)
    over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.1):
                connection.sendall(b"X: y\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=[server])
        thread.start()
        configure(GAUTH_DISCOVERY_URL=f"http://127.0.0.1:{server.getsockname()[1]}{DISCOVERY}")
        status = visitor.client.get("/gauth/login").status_code
        over.set()
        thread.join()
    assert status == 503


def test_provider_that_is_down_is_told(visitor: Visitor, configure: Configure) -> None:
    configure(GAUTH_DISCOVERY_URL=f"http://127.0.0.1:9{DISCOVERY}")
    assert visitor.client.get("/gauth/login").status_code == 503


def test_discovery_document_of_another_provider_is_refused(visitor: Visitor, provider: Provider) -> None:
    provider.answers[DISCOVERY] = lambda: provider.discovery() | {"issuer": "https://evil.org"}
    assert visitor.client.get("/gauth/login").status_code == 503


def test_provider_that_has_recovered_is_asked_again(
    visitor: Visitor, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "RETRY", 0)
    provider.answers[DISCOVERY] = empty
    visitor.client.get("/gauth/login")
    del provider.answers[DISCOVERY]
    assert visitor.sign_in().status_code == 303


def test_documents_are_fetched_again_after_a_while(
    visitor: Visitor, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "RETRY", 0)
    visitor.sign_in()
    monkeypatch.setattr(documents, "MAX_AGE", 0)
    provider.rotate()
    visitor.sign_in()
    assert provider.asked[DISCOVERY] > 1


def test_documents_of_before_serve_while_newer_ones_are_nonsense(
    visitor: Visitor, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.sign_in()
    monkeypatch.setattr(documents, "RETRY", 0)
    monkeypatch.setattr(documents, "MAX_AGE", 0)
    provider.answers |= {DISCOVERY: empty, "/keys": empty}
    assert visitor.sign_in().status_code == 303


def test_document_of_before_is_had_while_another_thread_fetches(provider: Provider) -> None:
    document = documents.Document(lambda: f"{provider.issuer}/keys", dict)
    before = document.get()
    document.fetched_at -= documents.MAX_AGE
    with ThreadPoolExecutor(1) as other, document.lock:
        assert other.submit(document.get).result(5) is before


@pytest.mark.parametrize(
    "odd", [{}, {"kty": "EC", "crv": "x"}, {"kty": "RSA", "kid": "n"}, {"kty": "x"}, "x", None], ids=str
)
def test_key_that_cannot_be_read_does_no_harm(visitor: Visitor, provider: Provider, odd: Any) -> None:
    keys = provider.public_keys()["keys"]
    provider.answers["/keys"] = lambda: {"keys": [odd, *keys]}
    assert visitor.sign_in().status_code == 303


def test_client_secret_is_sent_as_the_provider_takes_it(visitor: Visitor, provider: Provider) -> None:
    takes = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    provider.answers[DISCOVERY] = lambda: provider.discovery() | takes
    secrets: list[str | None] = []
    provider.answers["/token"] = lambda: secrets.append(request.form.get("client_secret"))
    visitor.sign_in()
    assert secrets == [provider.client[1]]


@pytest.mark.parametrize("offered", [["login", "select_account"], ["login"], None], ids=str)
def test_choice_of_an_account_is_asked_for_if_it_is_offered(
    visitor: Visitor, provider: Provider, offered: list[str] | None
) -> None:
    provider.answers[DISCOVERY] = lambda: provider.discovery() | {"prompt_values_supported": offered}
    assert query(visitor.leave()).get("prompt") == (
        "select_account" if "select_account" in (offered or []) else None
    )


@pytest.mark.parametrize("names", [("email", "email_verified"), ("email",), ("email_verified",)])
def test_address_that_the_id_token_leaves_out_is_told_by_userinfo(
    visitor: Visitor, provider: Provider, names: tuple[str, ...]
) -> None:
    provider.leave_to_userinfo(*names)
    assert visitor.sign_in().status_code == 303
    assert visitor.client.get("/api/me").json["email"] == SUBJECT


@pytest.mark.parametrize(
    "changes", [{"sub": "another"}, {"sub": None}, {"email": "x"}, {"email_verified": False}], ids=str
)
def test_userinfo_that_proves_nothing_is_refused(
    visitor: Visitor, provider: Provider, changes: dict[str, Any]
) -> None:
    provider.leave_to_userinfo("email", "email_verified", **changes)
    assert visitor.sign_in().status_code == 401
    assert not visitor.is_known()


def test_address_of_an_id_token_is_not_verified_by_userinfo_for_another(
    visitor: Visitor, provider: Provider, stored: Stored
) -> None:
    provider.leave_to_userinfo("email_verified", email="grace@example.org")
    visitor.sign_in()
    assert [user.email for user in stored(User)] == ["grace@example.org"]


def test_userinfo_is_not_asked_if_the_id_token_tells_all(visitor: Visitor, provider: Provider) -> None:
    provider.leave_to_userinfo()
    assert visitor.sign_in().status_code == 303
    assert provider.asked["/me"] == 0


def test_address_verified_as_text_is_verified(visitor: Visitor, provider: Provider) -> None:
    provider.changes = {"email_verified": "true"}
    assert visitor.sign_in().status_code == 303


@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
def test_google_is_known_by_both_its_names(provider: Provider, issuer: str) -> None:
    assert of_issuer(GOOGLE, provider, issuer).issuer == GOOGLE


def test_name_of_google_is_googles_alone(provider: Provider) -> None:
    with pytest.raises(IdentityError):
        of_issuer("https://example.com", provider, "accounts.google.com")


def of_issuer(issuer: str, provider: Provider, named: str) -> Identity:
    """Return who an ID token is of that says to be `named`'s, for a client of `issuer`."""
    client = OpenIDProvider(issuer, provider.client[0], "", [])
    client.metadata.value = provider.discovery() | {"issuer": issuer}
    client.metadata.fetched_at = time.monotonic()
    return client.identify(provider.id_token(iss=named), None, None)


def test_audience_of_an_app_is_not_of_the_redirect(
    visitor: Visitor, provider: Provider, configure: Configure
) -> None:
    configure(GAUTH_AUDIENCES=["ios"])
    provider.changes = {"aud": "ios"}
    assert visitor.sign_in().status_code == 401


def test_no_signature_by_a_shared_secret_is_taken() -> None:
    assert not [name for name in ALGORITHMS if name.startswith("HS")]


def test_provider_that_is_down_is_not_asked_by_each_request(visitor: Visitor, provider: Provider) -> None:
    provider.answers[DISCOVERY] = failing
    for _ in range(3):
        visitor.client.get("/gauth/login")
    assert provider.asked[DISCOVERY] == 1


def test_provider_is_asked_once_for_what_it_publishes(visitor: Visitor, provider: Provider) -> None:
    visitor.sign_in()
    visitor.sign_in()
    assert (provider.asked[DISCOVERY], provider.asked["/keys"]) == (1, 1)


def test_wrong_client_secret_is_refused(visitor: Visitor, configure: Configure) -> None:
    configure(GAUTH_CLIENT_SECRET="another")
    assert visitor.sign_in().status_code == 401


@pytest.mark.parametrize(
    ("allowed", "email", "status"),
    [
        ([], "ada@example.com", 303),
        (["example.com"], "ada@example.com", 303),
        (["ada@example.com"], "ada@example.com", 303),
        (["ada@example.com"], "Ada@Example.com", 303),
        (["example.com"], "grace@example.org", 403),
        (["example.com"], "eve@sub.example.com", 403),
        (["example.com"], "eve@notexample.com", 403),
        (["ada@example.com"], "bob@example.com", 403),
    ],
)
def test_list_of_the_allowed_is_kept(
    visitor: Visitor, configure: Configure, allowed: list[str], email: str, status: int
) -> None:
    configure(GAUTH_ALLOWED=allowed)
    assert visitor.sign_in(email).status_code == status
    assert visitor.is_known() == (status == 303)


def test_refusal_names_the_address(visitor: Visitor, configure: Configure) -> None:
    configure(GAUTH_ALLOWED=["example.com"])
    assert "grace@example.org may not sign in here" in visitor.sign_in("grace@example.org").text


@pytest.mark.parametrize(
    "email",
    [
        "a" * 288 + "@example.com.evil.org",
        "a" * 65 + "@example.com",
        "kate@example.com@evil.org",
        "k\x01ate@example.com",
        " kate@example.com",
        "kate@example.com\n",
        "\u212aate@example.com",
        "kate@example.com\u200b",
        "@example.com",
        "kate@",
        "@",
        "ka te@example.com",
    ],
)
def test_address_is_refused_rather_than_made_to_fit(
    visitor: Visitor, provider: Provider, configure: Configure, email: str
) -> None:
    configure(GAUTH_ALLOWED=["example.com", "kate@example.com"])
    provider.changes = {"email": email}
    assert visitor.sign_in().status_code == 401


@pytest.mark.parametrize(("name", "value"), [("GAUTH_ALLOWED", "a@example.com"), ("GAUTH_AUDIENCES", "ios")])
def test_list_that_is_none_is_refused(configure: Configure, name: str, value: str) -> None:
    with pytest.raises(TypeError, match=f"{name} is a list"):
        configure(**{name: value})


@pytest.mark.parametrize(
    "changes",
    [{"hd": "\u0130" * 300}, {"name": None, "email": "a" * 64 + "@example.com"}, {"iat": -(2**70)}],
)
def test_odd_claims_can_be_stored(visitor: Visitor, provider: Provider, changes: dict[str, Any]) -> None:
    provider.changes = changes
    if changes.get("name", "") is None:
        provider.signed = lambda claims: DemoProvider.sign(provider, {**claims, **changes})
    assert visitor.sign_in().status_code == 303


@pytest.mark.parametrize(
    ("hosted_domain", "allowed"), [("example.com", True), ("example.org", False), (None, False)]
)
def test_domain_of_google_is_the_one_that_manages_the_account(
    app: Flask, configure: Configure, hosted_domain: str | None, allowed: bool
) -> None:
    configure(GAUTH_ALLOWED=["Example.com"], GAUTH_DISCOVERY_URL=GOOGLE + DISCOVERY)
    found = app.extensions["gauth"].allows(GOOGLE, "a@example.com", hosted_domain)
    assert found == allowed


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.org",
        "//evil.org",
        "///evil.org",
        "/\\evil.org",
        "\\\\evil.org",
        "/\t/evil.org",
        "\t//evil.org",
        "/\n/evil.org",
        "/ /evil.org",
        "javascript:alert(1)",
        "evil.org",
        "http:/evil.org",
        "/x\r\nSet-Cookie: a=b",
        "/" + "x" * 500,
        "/" + "é" * 250,
        "",
    ],
)
def test_next_stays_on_this_site(visitor: Visitor, path: str) -> None:
    assert visitor.sign_in(next_path=path).location == "/"


@pytest.mark.parametrize(
    "path", ["/notes", "/notes?limit=2&after=x", "/a/../b", "/?next=https://evil.org", "/é"]
)
def test_next_may_be_any_path_of_this_site(visitor: Visitor, path: str) -> None:
    assert visitor.sign_in(next_path=path).location == path.replace("é", "%C3%A9")


def test_session_of_before_is_not_carried_over(visitor: Visitor) -> None:
    with visitor.client.session_transaction() as session:
        session["planted"] = "x"
    visitor.sign_in()
    with visitor.client.session_transaction() as session:
        assert set(session) == {"_permanent", "gauth"}


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_cookie_of_an_attempt_is_for_signing_in_alone(client: FlaskClient, scheme: str, secure: bool) -> None:
    answer = client.get("/gauth/login", base_url=f"{scheme}://localhost")
    [cookie] = answer.headers.getlist("Set-Cookie")
    attributes = set(cookie.split("; ")[1:])
    assert {"HttpOnly", "SameSite=Lax", "Path=/gauth", "Max-Age=600"} <= attributes
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("Secure" in attributes) == secure


def test_sign_in_link_leads_back_to_the_page(client: FlaskClient) -> None:
    assert 'href="/gauth/login?next=/notes?limit%3D2"' in client.get("/notes?limit=2").text


def test_page_shows_who_is_signed_in(visitor: Visitor) -> None:
    visitor.sign_in()
    page = visitor.client.get("/").text
    assert "You are signed in as Ada Lovelace, ada@example.com" in page
    assert "/gauth/login" not in page


def test_google_has_its_button(client: FlaskClient, configure: Configure) -> None:
    configure(GAUTH_DISCOVERY_URL=GOOGLE + DISCOVERY)
    assert "Sign in with Google" in client.get("/").text
