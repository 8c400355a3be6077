"""The environments that the app runs in, one class each; APP_SETTINGS names the one to use.

This is the only module of the app that reads the environment.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import make_url

from slipway.environment import ConfigError, database_url, duration, integer, log_level, secret, words
from slipway.server.cpu import cores

PLACEHOLDERS = {"change-me", "secret", "not_this"}
SECRET_MINIMUM = 32  # characters
STATEMENT_MAXIMUM = 25  # seconds: less than a request may take (gunicorn.conf.py)
PROCESSES_MAXIMUM = 8  # unless WEB_WORKERS says so: each may hold connections to the database
IDLE_MAXIMUM = 60  # seconds that a transaction may be held open without doing anything
LOCAL = ("localhost", "127.0.0.1")  # where the health checks ask
DISCOVERY = "/.well-known/openid-configuration"
ALLOWED = re.compile(r"([^@]+@)?[a-z0-9-]+(\.[a-z0-9-]+)+")


class Config:
    """What every environment shares."""

    DEBUG = False
    TESTING = False
    DEVELOPMENT = False
    WEAK_SECRETS = False
    LOG_FORMAT = "json"
    PROCESSES = min(cores(), PROCESSES_MAXIMUM)
    CSRF_ENABLED = True
    WTF_CSRF_TIME_LIMIT = None  # a token lives as long as the session it belongs to
    SESSION_COOKIE_SAMESITE = "Lax"
    API_TITLE = "Slipway"
    API_VERSION = "1"
    API_SPEC_OPTIONS = {
        "info": {
            "description": "Errors are problem documents (RFC 9457). Times are those of RFC 3339; one that it"
            " cannot say (infinite, before year 1, after 9999) comes as PostgreSQL writes it, and is to be"
            " left out of what is sent.",
            "contact": {"name": API_TITLE},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [],
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }
    OPENAPI_VERSION = "3.1.0"
    OPENAPI_URL_PREFIX = "/api"
    OPENAPI_JSON_PATH = "openapi.json"

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.SECRET_KEY = self.strong_secret(environ, "SECRET_KEY")
        self.SECRET_KEY_FALLBACKS = [
            self.check_strength("SECRET_KEY_FALLBACKS", key)
            for key in words(secret(environ, "SECRET_KEY_FALLBACKS"))
        ]
        self.WTF_CSRF_ENABLED = self.CSRF_ENABLED
        self.WTF_CSRF_SECRET_KEY = self.strong_secret(environ, "CSRF_SESSION_KEY")
        self.SESSION_COOKIE_NAME = environ.get("COOKIE_PREFIX", "") + "session"
        self.LOG_LEVEL = log_level(environ)
        self.WEB_WORKERS = integer(environ, "WEB_WORKERS", self.PROCESSES, minimum=1)
        self.WEB_THREADS = integer(environ, "WEB_THREADS", 4, minimum=1)
        self.WEB_REPLICAS = integer(environ, "WEB_REPLICAS", 1)
        self.MAX_CONTENT_LENGTH = integer(environ, "MAX_BODY_BYTES", 1024 * 1024)
        self.MAX_FORM_MEMORY_SIZE = self.MAX_CONTENT_LENGTH
        self.PROXIES = 1 + integer(environ, "TRUSTED_PROXIES", 0)  # nginx, and those before it
        self.TRUSTED_HOSTS = [*hosts, *LOCAL] if (hosts := words(environ.get("TRUSTED_HOSTS", ""))) else None
        self.DATABASE_WAIT = integer(environ, "DATABASE_WAIT", 60)  # seconds
        self.STATEMENT_TIMEOUT = integer(environ, "STATEMENT_TIMEOUT", 15, 1, maximum=STATEMENT_MAXIMUM)
        self.SQLALCHEMY_DATABASE_URI = database_url(environ)
        if secret(environ, "POSTGRES_PASSWORD"):
            self.strong_secret(environ, "POSTGRES_PASSWORD")
        self.gauth(environ)
        self.SQLALCHEMY_ENGINE_OPTIONS: dict[str, Any] = {
            "pool_size": self.WEB_THREADS,
            "max_overflow": self.WEB_THREADS,  # for a thread that reads rows while it is in a transaction
            "pool_timeout": 5,  # seconds
            "hide_parameters": not self.DEVELOPMENT,  # in errors, and so in the log
            "connect_args": {"connect_timeout": 5, "options": self.session_options()},
        }

    def gauth(self, environ: Mapping[str, str]) -> None:
        """Read the settings of the sign-in."""
        self.GAUTH_CLIENT_ID = environ.get("GAUTH_CLIENT_ID", "")
        self.GAUTH_CLIENT_SECRET = secret(environ, "GAUTH_CLIENT_SECRET")
        self.GAUTH_DISCOVERY_URL = (
            environ.get("GAUTH_DISCOVERY_URL") or f"https://accounts.google.com{DISCOVERY}"
        )
        if bool(self.GAUTH_CLIENT_ID) != bool(self.GAUTH_CLIENT_SECRET):
            raise ConfigError("GAUTH_CLIENT_ID and GAUTH_CLIENT_SECRET: only one of them is set")
        self.GAUTH_AUDIENCES = words(environ.get("GAUTH_AUDIENCES", ""))
        self.GAUTH_ALLOWED = [word.lower() for word in words(environ.get("GAUTH_ALLOWED", ""))]
        self.GAUTH_SESSION_LIFETIME = duration(environ, "GAUTH_SESSION_LIFETIME", "30d")
        self.GAUTH_SESSION_IDLE = duration(environ, "GAUTH_SESSION_IDLE", "7d")
        self.GAUTH_TOKEN_LIFETIME = duration(environ, "GAUTH_TOKEN_LIFETIME", "90d")
        schemes = ("https://", "http://") if self.WEAK_SECRETS else ("https://",)
        url = self.GAUTH_DISCOVERY_URL
        if not url.startswith(schemes) or not url.endswith(DISCOVERY):
            raise ConfigError(f"GAUTH_DISCOVERY_URL is {url!r}; it looks like https://…{DISCOVERY}")
        for word in self.GAUTH_ALLOWED:
            if not ALLOWED.fullmatch(word):
                raise ConfigError(f"GAUTH_ALLOWED has {word!r}; it lists domains and e-mail addresses")

    def for_commands(self) -> "Config":
        """Return these settings without a bound on the time that a statement takes."""
        self.STATEMENT_TIMEOUT = 0
        self.SQLALCHEMY_ENGINE_OPTIONS["connect_args"] |= {"options": self.session_options()}
        return self

    def session_options(self) -> str:
        """Return the options of each session: those in the URL, times in UTC, and bounds on time."""
        given = make_url(self.SQLALCHEMY_DATABASE_URI).query.get("options", "")
        ours = "-c TimeZone=UTC"
        if self.STATEMENT_TIMEOUT:
            ours += f" -c statement_timeout={self.STATEMENT_TIMEOUT}s"
            ours += f" -c idle_in_transaction_session_timeout={IDLE_MAXIMUM}s"
        return f"{given} {ours}".strip()

    def strong_secret(self, environ: Mapping[str, str], name: str) -> str:
        """Return the secret `name`, refusing one that is missing and, outside development, a weak one."""
        value = secret(environ, name)
        if not value:
            raise ConfigError(
                f"{name} is not set; it wants a random value of {SECRET_MINIMUM} characters or more"
            )
        return self.check_strength(name, value)

    def check_strength(self, name: str, value: str) -> str:
        """Return `value`, a secret of `name`, refusing a weak one outside development."""
        if not self.WEAK_SECRETS and (value in PLACEHOLDERS or len(value) < SECRET_MINIMUM):
            raise ConfigError(f"{name} is an example or under {SECRET_MINIMUM} characters; set a random one")
        return value


class ProductionConfig(Config):
    """Served to the world."""


class StagingConfig(ProductionConfig):
    """Production's rehearsal: the same settings, under its own name."""


class DevelopmentConfig(Config):
    """A developer's machine: reload on change, readable logs, `make migrate` writes migrations."""

    DEBUG = True
    DEVELOPMENT = True
    WEAK_SECRETS = True
    LOG_FORMAT = "readable"
    PROCESSES = 1  # reloads sooner than two
    PROPAGATE_EXCEPTIONS = False  # an error is answered here as it is in production


class TestingConfig(Config):
    """The unit tests."""

    TESTING = True
    WEAK_SECRETS = True
    LOG_FORMAT = "readable"


ENVIRONMENTS = {
    f"config.{environment.__name__}": environment
    for environment in (ProductionConfig, StagingConfig, DevelopmentConfig, TestingConfig)
}


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """Return the configuration that APP_SETTINGS names; ConfigError says in one line what is wrong."""
    name = environ.get("APP_SETTINGS", "")
    if name not in ENVIRONMENTS:
        raise ConfigError(f"APP_SETTINGS is {name!r}; it must be one of {', '.join(ENVIRONMENTS)}")
    return ENVIRONMENTS[name](environ)
