"""Who somebody is, and what stands in the way of knowing."""

from dataclasses import dataclass

GOOGLE = "https://accounts.google.com"


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


@dataclass(frozen=True)
class Attempt:
    """A sign-in that was begun: the URL that the browser is sent to, and what the answer must match."""

    url: str
    state: str
    nonce: str
    verifier: str
