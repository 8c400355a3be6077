"""An OpenID provider for development, which believes whoever comes: `make demo-login` serves it.

It answers as the standards say (OpenID Connect Core, and RFC 7636, PKCE), of which it has what gauth uses.
What it knows is in memory, so it runs as one process.
"""

import secrets
import time
from typing import Any
from urllib.parse import unquote_plus, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.datastructures import Authorization

LIFETIME = 3600  # seconds of an ID token
CODE_LIFETIME = 60  # seconds
WHAT_IS_ASKED = ("client_id", "redirect_uri", "state", "nonce", "code_challenge")
ACCOUNTS = {"ada@example.com": "Ada Lovelace", "grace@example.org": "Grace Hopper"}


class DemoProvider:
    """The provider that one client knows by the URL `issuer`, and its users' browsers by the URL `site`."""

    def __init__(self, issuer: str, site: str, client_id: str, client_secret: str) -> None:
        self.issuer = issuer
        self.site = site
        self.client = (client_id, client_secret)
        self.keys = [RSAKey.generate_key(2048, auto_kid=True)]
        self.codes: dict[str, dict[str, Any]] = {}

    def discovery(self) -> dict[str, Any]:
        """Return the discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.site}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "prompt_values_supported": ["select_account"],
        }

    def public_keys(self) -> dict[str, Any]:
        """Return the keys that ID tokens are verified by."""
        return dict(KeySet([*self.keys]).as_dict(private=False))

    def claims(self, email: str, nonce: str | None) -> dict[str, Any]:
        """Return what the ID token of an account says."""
        now = int(time.time())
        name = ACCOUNTS.get(email, email.partition("@")[0].title())
        return {
            "iss": self.issuer,
            "aud": self.client[0],
            "sub": email,
            "iat": now,
            "exp": now + LIFETIME,
            "nonce": nonce,
            "email": email,
            "email_verified": True,
            "name": name,
        }

    def sign(self, claims: dict[str, Any]) -> str:
        """Return `claims` as an ID token."""
        return jwt.encode({"alg": "RS256", "kid": self.keys[-1].kid}, claims, self.keys[-1])

    def grant(self, email: str, asked: dict[str, str]) -> str:
        """Return a code for the sign-in of an account, of what the app has `asked`."""
        now = time.monotonic()
        self.codes = {code: granted for code, granted in self.codes.items() if granted["expires"] > now}
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked | {"email": email, "expires": now + CODE_LIFETIME}
        return code

    def redeem(self, code: str, redirect_uri: str, verifier: str) -> str | None:
        """Return the ID token for a code, which can be had once; None where the code is not the caller's."""
        granted = self.codes.pop(code, None)
        if (
            granted is None
            or time.monotonic() > granted["expires"]
            or granted["redirect_uri"] != redirect_uri
            or granted.get("code_challenge") != create_s256_code_challenge(verifier)
        ):
            return None
        return self.sign(self.claims(granted["email"], granted.get("nonce")))


def create_app(provider: DemoProvider) -> Flask:
    """Return the app that serves `provider`."""
    app = Flask(__name__)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> ResponseReturnValue:
        return provider.discovery()

    @app.get("/keys")
    def keys() -> ResponseReturnValue:
        return provider.public_keys()

    @app.before_request
    def check() -> None:
        its_own = request.args.get("client_id") == provider.client[0] and "redirect_uri" in request.args
        if request.path == "/authorize" and not its_own:
            abort(400, "This is not a request of the app that this provider is for.")

    @app.get("/authorize")
    def ask() -> ResponseReturnValue:
        return render_template("demo.html", accounts=ACCOUNTS)

    @app.post("/authorize")
    def answer() -> ResponseReturnValue:
        asked = {name: request.args[name] for name in WHAT_IS_ASKED if name in request.args}
        email = request.form.get("email", "").strip().lower()
        outcome = {"code": provider.grant(email, asked)} if "@" in email else {"error": "access_denied"}
        query = urlencode(outcome | {"state": asked.get("state", "")})
        return redirect(f"{asked['redirect_uri']}?{query}", 303)

    @app.get("/id-token")
    def id_token() -> ResponseReturnValue:
        email = request.args.get("email", next(iter(ACCOUNTS)))
        return {"id_token": provider.sign(provider.claims(email, request.args.get("nonce")))}

    @app.post("/token")
    def token() -> ResponseReturnValue:
        sent = request.authorization or Authorization("basic", {})
        if tuple(unquote_plus(sent.get(part) or "") for part in ("username", "password")) != provider.client:
            return {"error": "invalid_client"}, 401
        form = request.form
        redeemed = provider.redeem(
            form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier", "")
        )
        if redeemed is None:
            return {"error": "invalid_grant"}, 400
        access_token = secrets.token_urlsafe(16)
        return {"access_token": access_token, "token_type": "Bearer", "id_token": redeemed}

    return app


def serve(issuer: str, site: str) -> Flask:
    """Return the app that gunicorn serves."""
    return create_app(DemoProvider(issuer, site, "demo", "demo"))
