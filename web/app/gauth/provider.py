"""The OpenID provider as its client sees it: https://openid.net/specs/openid-connect-core-1_0.html"""

import hmac
import time
from collections.abc import Callable
from threading import Lock
from typing import Any
from unicodedata import category

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException

from .identity import GOOGLE, Attempt, Identity, IdentityError, ProviderError
from .transport import Transport

SCOPE = "openid email profile"
LEEWAY = 60  # seconds that the provider's clock may be off
MAX_AGE = 3600  # seconds until a document of the provider is fetched again
RETRY = 10  # seconds until one that could not be had is asked for again
NEW_KEYS = 30  # seconds from one unknown key id that is looked into to the next
PICTURE_MAXIMUM = 2000  # characters of its URL
# Signatures by a private key. With HS256 the public key itself would do as the secret.
ALGORITHMS = [f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)]


class Document:
    """A JSON document of the provider: kept for MAX_AGE, and longer where a newer one cannot be had."""

    def __init__(self, url: Callable[[], str]) -> None:
        self.url = url
        self.lock = Lock()
        self.value: dict[str, Any] | None = None
        self.fetched_at = self.tried_at = self.renewed_at = -float("inf")

    def get(self) -> dict[str, Any]:
        """Return the document (ProviderError)."""
        return self.fetch(lambda now: now - self.fetched_at < MAX_AGE)

    def renew(self) -> dict[str, Any]:
        """Return the document as it is now, or was NEW_KEYS ago (ProviderError)."""
        return self.fetch(lambda now: now - self.renewed_at < NEW_KEYS, renewing=True)

    def fetch(self, is_fresh: Callable[[float], bool], *, renewing: bool = False) -> dict[str, Any]:
        """Return the document, fetched unless `is_fresh` at this time; one thread fetches, others wait."""
        if self.value is not None and is_fresh(time.monotonic()):
            return self.value
        with self.lock:
            now = time.monotonic()
            if self.value is not None and is_fresh(now):
                return self.value
            if now - self.tried_at >= RETRY or renewing:
                self.tried_at = now
                self.renewed_at = now if renewing else self.renewed_at
                try:
                    self.value = get_json(self.url())
                    self.fetched_at = now
                except ProviderError:
                    self.tried_at = time.monotonic()
                    if self.value is None:
                        raise
            if self.value is None:
                raise ProviderError("it did not answer a moment ago")
            return self.value


def get_json(url: str) -> dict[str, Any]:
    """Return the JSON object at `url` (ProviderError)."""
    try:
        with Transport() as http:
            answer = http.get(url, withhold_token=True)
            answer.raise_for_status()
            value = answer.json()
    except (RequestException, ValueError, RecursionError) as error:
        raise ProviderError(f"{url}: {error}") from error
    if not isinstance(value, dict):
        raise ProviderError(f"{url} is not a JSON object")
    return value


class Provider:
    """An OpenID provider, known by its discovery document, for the client `client_id`.

    ID tokens that others got from it may name any of `audiences` as well.
    """

    def __init__(self, discovery_url: str, client_id: str, client_secret: str, audiences: list[str]) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.audiences = audiences
        self.discovery = Document(lambda: discovery_url)
        self.keys = Document(lambda: self.says("jwks_uri"))

    def says(self, name: str) -> str:
        """Return a member of the discovery document (ProviderError)."""
        value = self.discovery.get().get(name)
        if not isinstance(value, str) or not value.startswith(("https://", "http://")) or len(value) > 500:
            raise ProviderError(f"its discovery document has no {name}")
        return value

    def client(self, callback: str) -> Transport:
        """Return an OAuth client whose answers come back to the URL `callback`."""
        options = {"scope": SCOPE, "redirect_uri": callback, "code_challenge_method": "S256"}
        return Transport(client_id=self.client_id, client_secret=self.client_secret, **options)

    def begin(self, callback: str) -> Attempt:
        """Begin a sign-in whose answer comes to the URL `callback` (ProviderError)."""
        nonce, verifier = generate_token(30), generate_token(48)
        with self.client(callback) as client:
            url, state = client.create_authorization_url(
                self.says("authorization_endpoint"),
                nonce=nonce,
                code_verifier=verifier,
                prompt="select_account",
            )
        return Attempt(url, state, nonce, verifier)

    def finish(self, callback: str, code: str, nonce: str, verifier: str) -> Identity:
        """Return who has signed in, for the `code` that came to `callback` (ProviderError, IdentityError)."""
        endpoint = self.says("token_endpoint")
        try:
            with self.client(callback) as client:
                answer = client.fetch_token(endpoint, code=code, code_verifier=verifier)
        except OAuthError as error:
            raise IdentityError(f"the provider refuses the code: {error.error}") from error
        except (RequestException, ValueError, TypeError, RecursionError) as error:
            raise ProviderError(f"{endpoint}: {error}") from error
        if not isinstance(answer.get("id_token"), str):
            raise ProviderError(f"{endpoint}: there is no ID token in its answer")
        return self.verify(answer["id_token"], [self.client_id], nonce)

    def identify(self, id_token: str, nonce: str | None) -> Identity:
        """Return who an ID token is of that an app got from the provider (ProviderError, IdentityError).

        Its `azp` names the app, and is not compared: Google's Android apps ask for their server's audience.
        """
        return self.verify(id_token, [self.client_id, *self.audiences], nonce)

    def verify(self, id_token: str, audiences: list[str], nonce: str | None) -> Identity:
        """Return who `id_token` is of: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation

        Where `nonce` is given, the token must have it.
        """
        issuer = self.says("issuer")
        claims = self.signed_claims(id_token)
        # https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
        issuers = [issuer, "accounts.google.com"] if issuer == GOOGLE else [issuer]
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "values": issuers},
            sub={"essential": True},
            aud={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            rules.validate(claims)
        except JoseError as error:
            raise IdentityError(str(error)) from error
        named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if not set(named) <= set(audiences):
            raise IdentityError("it is for another audience")
        if nonce is not None and not hmac.compare_digest(nonce.encode(), str(claims.get("nonce")).encode()):
            raise IdentityError("its nonce is another")
        return identity(issuer, claims)

    def signed_claims(self, id_token: str) -> dict[str, Any]:
        """Return the claims of `id_token`, if a key of the provider has signed them."""
        try:
            return decode(id_token, self.keys.get())
        except InvalidKeyIdError:
            pass  # the provider may have new keys
        try:
            return decode(id_token, self.keys.renew())
        except InvalidKeyIdError as error:
            raise IdentityError("it is signed by an unknown key") from error


def decode(id_token: str, keys: dict[str, Any]) -> dict[str, Any]:
    """Return the claims of `id_token`, signed by one of `keys` (IdentityError, InvalidKeyIdError)."""
    try:
        key_set = KeySet.import_key_set(keys)  # type: ignore[arg-type] # what is wrong with them it tells
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProviderError("its keys are malformed") from error
    rules = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        return jwt.decode(id_token, key_set, registry=rules).claims
    except InvalidKeyIdError:
        raise
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise IdentityError(f"its signature: {error}") from error


def identity(issuer: str, claims: dict[str, Any]) -> Identity:
    """Return who verified `claims` are of (IdentityError)."""
    subject, email = text(claims, "sub", 255), text(claims, "email", 300).lower()
    if not subject or subject != claims["sub"]:
        raise IdentityError("its subject is malformed")
    if "@" not in email or claims.get("email_verified") is not True:
        raise IdentityError("its e-mail address is missing or not verified")
    picture = text(claims, "picture", PICTURE_MAXIMUM + 1)
    return Identity(
        issuer=issuer,
        subject=subject,
        email=email,
        hosted_domain=text(claims, "hd", 200).lower() or None,
        name=text(claims, "name", 200) or email.partition("@")[0],
        picture=picture if picture.startswith("https://") and len(picture) <= PICTURE_MAXIMUM else None,
    )


def text(claims: dict[str, Any], name: str, limit: int) -> str:
    """Return the claim `name` as text that can be stored, of `limit` characters at most; "" if it is none."""
    value = claims.get(name)
    value = value if isinstance(value, str) else ""
    return "".join(c for c in value if category(c) not in ("Cc", "Cs"))[:limit].strip()
