"""An OpenID provider that can be told to misbehave, and an app that signs in with it."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from flask import Flask, Response, current_app, request
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from app import create_app
from app.gauth import settings
from app.gauth.identity import DISCOVERY
from config import TestingConfig
from engines import demo_provider as demo

Answer = Callable[[], ResponseReturnValue | None]
SUBJECT = "ada@example.com"


class Provider(demo.DemoProvider):
    """The demo provider, whose ID tokens and answers a test may change; it counts what it is asked."""

    def __init__(self, issuer: str) -> None:
        super().__init__(issuer, issuer, "a client", "s+e/c=r%t : &")
        self.behave()

    def behave(self) -> None:
        """Forget what was changed."""
        self.changes: dict[str, Any] = {}
        self.signed: Callable[[dict[str, Any]], str] = super().sign
        self.answers: dict[str, Answer] = {}
        self.deliver: dict[str, Callable[[bytes], ResponseReturnValue | None]] = {}
        self.asked: Counter[str] = Counter()

    def claims(self, email: str, nonce: str | None) -> dict[str, Any]:
        changed = super().claims(email, nonce) | self.changes
        return {name: value for name, value in changed.items() if value is not None}

    def sign(self, claims: dict[str, Any]) -> str:
        return self.signed(claims)

    def leave_to_userinfo(self, *names: str, **changes: Any) -> None:
        """Leave claims of Ada's out of ID tokens, and tell them, with `changes`, at a userinfo endpoint."""
        claims = self.claims(SUBJECT, None)
        told = {name: claims[name] for name in ("sub", *names)} | changes
        self.changes = dict.fromkeys(names)
        self.answers[DISCOVERY] = lambda: self.discovery() | {"userinfo_endpoint": f"{self.issuer}/me"}
        self.answers["/me"] = lambda: (told, 401 if request.headers["Authorization"] == "Bearer no" else 200)

    def id_token(self, **changes: Any) -> str:
        """Return an ID token of Ada's, with other claims."""
        self.changes = changes
        return self.sign(self.claims(SUBJECT, None))

    def rotate(self) -> None:
        """Sign with a new key from here on."""
        self.keys = [RSAKey.generate_key(2048, auto_kid=True)]

    def answer(self) -> ResponseReturnValue | None:
        """Answer a request as the test wants, None for as ever."""
        self.asked[request.path] += 1
        return self.answers.get(request.path, lambda: None)()

    def delivered(self, response: Response) -> Response:
        """Have an answer come as the test wants."""
        deliver = self.deliver.get(request.path)
        instead = deliver(response.get_data()) if deliver else None
        return response if instead is None else current_app.make_response(instead)


@pytest.fixture(scope="session")
def served_provider() -> Iterator[Provider]:
    """A provider that answers on a port of its own."""
    provider = Provider("")
    app = demo.create_app(provider)
    app.before_request(provider.answer)
    app.after_request(provider.delivered)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    provider.issuer = provider.site = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def provider(served_provider: Provider) -> Provider:
    """The provider, behaving."""
    served_provider.behave()
    return served_provider


@pytest.fixture(scope="session")
def migrated_app(migrated_app: Flask, postgres: str, settings: Callable[[str], dict[str, str]]) -> Flask:
    """An app that nobody has configured yet, on the migrated database."""
    return create_app(TestingConfig(settings(postgres)))


@pytest.fixture
def configure(app: Flask, provider: Provider) -> Iterator[Callable[..., None]]:
    """Return a function that sets settings of gauth."""
    before = dict(app.config)

    def configure(**changes: Any) -> None:
        app.config |= changes
        app.extensions["gauth"] = settings.load(app)

    client_id, client_secret = provider.client
    configure(
        GAUTH_CLIENT_ID=client_id,
        GAUTH_CLIENT_SECRET=client_secret,
        GAUTH_DISCOVERY_URL=f"{provider.issuer}/.well-known/openid-configuration",
    )
    yield configure
    app.config.clear()
    configure(**before)


@pytest.fixture
def client(app: Flask, configure: Callable[..., None]) -> FlaskClient:
    """A browser that comes to an app with the provider."""
    return app.test_client()


@pytest.fixture
def other_client(client: FlaskClient) -> FlaskClient:
    """Another browser."""
    return client.application.test_client()


class Visitor:
    """What somebody does in a browser, `client`, to sign in."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def leave(self, next_path: str = "/") -> str:
        """Begin; return the URL at the provider."""
        answer = self.client.get("/gauth/login", query_string={"next": next_path})
        assert answer.status_code == 302, answer.text
        return answer.location

    def choose(self, url: str, email: str = SUBJECT) -> str:
        """Choose an account at the provider, "" for none; return the path that it sends the browser to."""
        answer = httpx.post(url, data={"email": email})
        assert answer.status_code == 303, answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def sign_in(self, email: str = SUBJECT, next_path: str = "/") -> TestResponse:
        """Sign in; return the last answer."""
        return self.client.get(self.choose(self.leave(next_path), email))

    def cookies(self) -> dict[str, str]:
        """Return the cookies of this browser."""
        return {cookie.key: cookie.value for cookie in (self.client._cookies or {}).values()}

    def is_known(self) -> bool:
        """Tell whether this browser is signed in."""
        return self.client.get("/api/me").status_code == 200


@pytest.fixture
def visitor(client: FlaskClient) -> Visitor:
    """Somebody with a browser."""
    return Visitor(client)


@pytest.fixture
def other_visitor(other_client: FlaskClient) -> Visitor:
    """Somebody with another browser."""
    return Visitor(other_client)
