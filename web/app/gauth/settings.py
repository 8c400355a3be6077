from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask, current_app

from .provider import GOOGLE, Provider

REQUIRED = ("GAUTH_CLIENT_ID", "GAUTH_CLIENT_SECRET")
DEFAULTS: dict[str, Any] = {
    "GAUTH_CLIENT_ID": "",
    "GAUTH_CLIENT_SECRET": "",
    "GAUTH_DISCOVERY_URL": f"{GOOGLE}/.well-known/openid-configuration",
    "GAUTH_AUDIENCES": [],  # client ids of the apps that show ID tokens
    "GAUTH_ALLOWED": [],  # domains and addresses; empty: everybody
    "GAUTH_SESSION_LIFETIME": timedelta(days=30),
    "GAUTH_SESSION_IDLE": timedelta(days=7),
    "GAUTH_TOKEN_LIFETIME": timedelta(days=90),
}


@dataclass(frozen=True)
class Settings:
    """What an app's configuration says about signing in."""

    missing: list[str]  # the required ones
    provider: Provider
    allowed: list[str]
    session_lifetime: float  # seconds
    session_idle: float  # seconds
    token_lifetime: timedelta

    def allows(self, issuer: str, email: str, hosted_domain: str | None) -> bool:
        """Tell whether somebody may sign in.

        With Google a domain is the one that manages the account, as anybody may have an account for an
        address of it: https://developers.google.com/identity/openid-connect/openid-connect#hd-param
        """
        domain = hosted_domain if issuer == GOOGLE else email.rpartition("@")[2]
        return not self.allowed or email in self.allowed or domain in self.allowed


def load(app: Flask) -> Settings:
    """Return the settings of `app`, with a default for each that it does not have."""
    of = DEFAULTS | {name: app.config[name] for name in DEFAULTS if app.config.get(name)}
    return Settings(
        missing=[name for name in REQUIRED if not of[name]],
        provider=Provider(
            of["GAUTH_DISCOVERY_URL"], of["GAUTH_CLIENT_ID"], of["GAUTH_CLIENT_SECRET"], of["GAUTH_AUDIENCES"]
        ),
        allowed=of["GAUTH_ALLOWED"],
        session_lifetime=of["GAUTH_SESSION_LIFETIME"].total_seconds(),
        session_idle=of["GAUTH_SESSION_IDLE"].total_seconds(),
        token_lifetime=of["GAUTH_TOKEN_LIFETIME"],
    )


def settings() -> Settings:
    """Return the settings of the current app."""
    found: Settings = current_app.extensions["gauth"]
    return found
