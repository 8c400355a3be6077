"""Who somebody is, and what stands in the way of knowing."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unicodedata import category

GOOGLE = "https://accounts.google.com"
DISCOVERY = "/.well-known/openid-configuration"  # behind the issuer
# An address that is another is refused rather than made to fit, as it may then be one of the allowed.
EMAIL = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,189}")
PICTURE_MAXIMUM = 2000  # characters of its URL


class ProviderError(Exception):
    """The provider does not answer, or not as the standard says."""


class IdentityError(Exception):
    """What was shown does not prove who somebody is; the message, for the log, tells why."""


@dataclass(frozen=True)
class Identity:
    """Who somebody is, as the provider says; `issuer` and `subject` identify them."""

    issuer: str
    subject: str
    email: str
    hosted_domain: str | None
    name: str
    picture: str | None
    proven_at: datetime


@dataclass(frozen=True)
class Attempt:
    """A sign-in that was begun: the URL that the browser is sent to, and what the answer must match."""

    url: str
    state: str
    nonce: str
    verifier: str


def identity_of(issuer: str, claims: dict[str, Any]) -> Identity:
    """Return who verified `claims` are of (IdentityError)."""
    subject, email = claims["sub"], claims.get("email")
    if not subject or subject != text(claims, "sub", 255):
        raise IdentityError("its subject is malformed")
    verified = claims.get("email_verified")
    is_verified = verified is True or verified == "true"  # as text from Cognito and Apple
    if not isinstance(email, str) or not EMAIL.fullmatch(email) or not is_verified:
        raise IdentityError("its e-mail address is missing, malformed or not verified")
    picture = text(claims, "picture", PICTURE_MAXIMUM + 1)
    return Identity(
        issuer=issuer,
        subject=subject,
        email=email.lower(),
        hosted_domain=text(claims, "hd", 255).lower()[:255] or None,
        name=text(claims, "name", 200) or email.partition("@")[0],
        picture=picture if picture.startswith("https://") and len(picture) <= PICTURE_MAXIMUM else None,
        proven_at=datetime.fromtimestamp(max(claims["iat"], 0), UTC),
    )


def text(claims: dict[str, Any], name: str, limit: int) -> str:
    """Return the claim `name` as text that can be stored, of `limit` characters at most; "" if it is none."""
    value = claims.get(name)
    value = value if isinstance(value, str) else ""
    return "".join(c for c in value if category(c) not in ("Cc", "Cs"))[:limit].strip()
