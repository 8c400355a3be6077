"""The OpenID provider as its client sees it: https://openid.net/specs/openid-connect-core-1_0.html"""

from typing import Any

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException

from .documents import Document, get_json
from .identity import DISCOVERY, GOOGLE, Attempt, Identity, IdentityError, ProviderError, identity_of
from .transport import Transport

SCOPE = "openid email profile"
SELECT_ACCOUNT = "select_account"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LEEWAY = 60  # seconds that the provider's clock may be off
# Signatures by a private key. With HS256 the public key itself would do as the secret.
ALGORITHMS = [f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)]
# What joserfc may raise.
MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class Provider:
    """The OpenID provider `issuer`, for the client `client_id`.

    ID tokens that others got from it may name any of `audiences` as well.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str, audiences: list[str]) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.client_secret = client_secret
        self.audiences = audiences
        self.metadata = Document(lambda: issuer + DISCOVERY, self.read_metadata)
        self.keys = Document(lambda: str(self.metadata.get()["jwks_uri"]), read_keys)

    def read_metadata(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return a discovery document, if it is one of this issuer's (ProviderError).

        https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation
        """
        for name in ("issuer", *ENDPOINTS):
            value = document.get(name)
            if not isinstance(value, str) or not value.startswith(("https://", "http://")):
                raise ProviderError(f"its discovery document has no {name}")
        if document["issuer"].rstrip("/") != self.issuer:
            raise ProviderError(f"its discovery document is of {document['issuer']!r}")
        return document

    def listed(self, name: str) -> list[Any]:
        """Return what the discovery document lists under `name`, [] if it is silent (ProviderError)."""
        value = self.metadata.get().get(name)
        return value if isinstance(value, list) else []

    def client(self, callback: str) -> Transport:
        """Return an OAuth client whose answers come back to the URL `callback` (ProviderError)."""
        known = self.listed("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"
        return Transport(
            client_id=self.client_id,
            client_secret=self.client_secret,
            token_endpoint_auth_method=method,
            scope=SCOPE,
            redirect_uri=callback,
            code_challenge_method="S256",
        )

    def begin(self, callback: str) -> Attempt:
        """Begin a sign-in whose answer comes to the URL `callback` (ProviderError).

        The choice of an account is asked for if the provider offers it, as others refuse the request:
        https://openid.net/specs/openid-connect-prompt-create-1_0.html#section-4.1
        """
        nonce, verifier = generate_token(30), generate_token(48)
        endpoint = self.metadata.get()["authorization_endpoint"]
        asked = {"nonce": nonce, "code_verifier": verifier}
        if self.issuer == GOOGLE or SELECT_ACCOUNT in self.listed("prompt_values_supported"):
            asked["prompt"] = SELECT_ACCOUNT
        with self.client(callback) as client:
            url, state = client.create_authorization_url(endpoint, **asked)
        return Attempt(url, state, nonce, verifier)

    def finish(self, callback: str, code: str, nonce: str, verifier: str) -> Identity:
        """Return who has signed in, for the `code` that came to `callback` (ProviderError, IdentityError)."""
        endpoint = self.metadata.get()["token_endpoint"]
        try:
            with self.client(callback) as client:
                answer = client.fetch_token(endpoint, code=code, code_verifier=verifier)
        except OAuthError as error:
            raise IdentityError(f"the provider refuses the code: {error.error!r}") from error
        except (RequestException, ValueError, TypeError, RecursionError) as error:
            raise ProviderError(f"{endpoint}: {error}") from error
        if not isinstance(answer.get("id_token"), str):
            raise ProviderError(f"{endpoint}: there is no ID token in its answer")
        claims = self.verify(answer["id_token"], [self.client_id], nonce)
        return self.identity(claims, answer.get("access_token"))

    def identify(self, id_token: str, nonce: str | None, access_token: str | None) -> Identity:
        """Return who an ID token is of that an app got from the provider (ProviderError, IdentityError).

        Its `azp` names the app, and is not compared: Google's Android apps ask for their server's audience.
        """
        claims = self.verify(id_token, [self.client_id, *self.audiences], nonce)
        return self.identity(claims, access_token)

    def identity(self, claims: dict[str, Any], access_token: str | None) -> Identity:
        """Return who the verified `claims` of an ID token are of (ProviderError, IdentityError).

        A provider that issued an access token may leave the address to its userinfo endpoint:
        https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims
        """
        endpoint = self.metadata.get().get("userinfo_endpoint")
        if access_token and isinstance(endpoint, str) and not {"email", "email_verified"} <= claims.keys():
            userinfo = get_json(endpoint, access_token)
            if userinfo.get("sub") != claims["sub"]:
                raise IdentityError("its subject is not the one of the userinfo endpoint")
            claims = claims | userinfo | {"iat": claims["iat"]}
        return identity_of(self.issuer, claims)

    def verify(self, id_token: str, audiences: list[str], nonce: str | None) -> dict[str, Any]:
        """Return the claims of `id_token`: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation

        If `nonce` is given, the token must have it.
        """
        issuers = [self.metadata.get()["issuer"]]
        if self.issuer == GOOGLE:
            # https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
            issuers.append("accounts.google.com")
        claims = self.signed_claims(id_token)
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
            raise IdentityError(f"{str(error)!r}") from error
        named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if not set(named) <= set(audiences):
            raise IdentityError("it is for another audience")
        if nonce is not None and claims.get("nonce") != nonce:
            raise IdentityError("its nonce is another")
        return claims

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


def read_keys(document: dict[str, Any]) -> KeySet:
    """Return a set of keys (ProviderError where there is none), without those of kinds that are unknown here.

    https://www.rfc-editor.org/rfc/rfc7517#section-5
    """
    members = document.get("keys")
    keys: list[Key] = []
    for member in members if isinstance(members, list) else []:
        try:
            keys.append(JWKRegistry.import_key(member))
        except MALFORMED:
            continue
    if not keys:
        raise ProviderError("it publishes no keys")
    return KeySet(keys)


def decode(id_token: str, keys: KeySet) -> dict[str, Any]:
    """Return the claims of `id_token`, signed by one of `keys` (IdentityError, InvalidKeyIdError)."""
    rules = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        return jwt.decode(id_token, keys, registry=rules).claims
    except InvalidKeyIdError:
        raise
    except MALFORMED as error:
        raise IdentityError(f"its signature: {str(error)!r}") from error
