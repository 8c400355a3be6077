from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app

from .identity import DISCOVERY, GOOGLE

if TYPE_CHECKING:
    from .provider import Provider

DEFAULTS: dict[str, Any] = {
    "GAUTH_CLIENT_ID": "",
    "GAUTH_CLIENT_SECRET": "",
    "GAUTH_DISCOVERY_URL": GOOGLE + DISCOVERY,
    "GAUTH_AUDIENCES": [],  # client ids of the apps that show ID tokens
    "GAUTH_ALLOWED": [],  # domains and addresses; empty: everybody
    "GAUTH_SESSION_LIFETIME": timedelta(days=30),
    "GAUTH_SESSION_IDLE": timedelta(days=7),
    "GAUTH_TOKEN_LIFETIME": timedelta(days=90),
}


@dataclass(frozen=True)
class Settings:
    """What an app's configuration says about signing in."""

    client_id: str
    client_secret: str
    issuer: str
    audiences: list[str]
    allowed: list[str]
    session_lifetime: float  # seconds
    session_idle: float  # seconds
    token_lifetime: timedelta

    @property
    def missing(self) -> list[str]:
        """The names of those without which nobody can sign in."""
        required = {"GAUTH_CLIENT_ID": self.client_id, "GAUTH_CLIENT_SECRET": self.client_secret}
        return [name for name, value in required.items() if not value]

    @property
    def is_google(self) -> bool:
        """Whether people sign in with Google."""
        return self.issuer == GOOGLE

    @cached_property
    def provider(self) -> "Provider":
        """The provider. It loads Authlib (0.2 s, 20 MB), which an app that signs nobody in does without."""
        from .provider import Provider

        return Provider(self.issuer, self.client_id, self.client_secret, self.audiences)

    def allows(self, issuer: str, email: str, hosted_domain: str | None) -> bool:
        """Tell whether somebody may be signed in whom `issuer` vouches for: the present provider alone may.

        With Google a domain is the one that manages the account, as anybody may have an account for an
        address of it: https://developers.google.com/identity/openid-connect/openid-connect#hd-param
        """
        domain = hosted_domain if issuer == GOOGLE else email.rpartition("@")[2]
        listed = not self.allowed or email in self.allowed or domain in self.allowed
        return listed and issuer == self.issuer


def load(app: Flask) -> Settings:
    """Return the settings of `app`, with a default for each that it does not have."""
    of = DEFAULTS | {name: app.config[name] for name in DEFAULTS if app.config.get(name)}
    for name in ("GAUTH_ALLOWED", "GAUTH_AUDIENCES"):
        if isinstance(of[name], str):
            raise TypeError(f"{name} is a list")
    issuer, suffix, _ = of["GAUTH_DISCOVERY_URL"].partition(DISCOVERY)
    if not suffix:
        raise ValueError(f"GAUTH_DISCOVERY_URL ends with {DISCOVERY}")
    found = Settings(
        client_id=of["GAUTH_CLIENT_ID"],
        client_secret=of["GAUTH_CLIENT_SECRET"],
        issuer=issuer.rstrip("/"),
        audiences=of["GAUTH_AUDIENCES"],
        allowed=[word.lower() for word in of["GAUTH_ALLOWED"]],
        session_lifetime=of["GAUTH_SESSION_LIFETIME"].total_seconds(),
        session_idle=of["GAUTH_SESSION_IDLE"].total_seconds(),
        token_lifetime=of["GAUTH_TOKEN_LIFETIME"],
    )
    if not found.missing:
        _ = found.provider  # loaded before gunicorn forks, for all its workers
    return found


def settings() -> Settings:
    """Return the settings of the current app."""
    found: Settings = current_app.extensions["gauth"]
    return found
