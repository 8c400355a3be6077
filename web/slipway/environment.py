"""Typed settings from the environment. Each secret NAME may be given as a file instead, by NAME_FILE."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class ConfigError(Exception):
    """A setting is missing or wrong; the message is one line that names it."""


def secret(environ: Mapping[str, str], name: str) -> str:
    """Return the value of `name`, or the content of the file that `name`_FILE names, else ""."""
    path = environ.get(f"{name}_FILE")
    if not path:
        return environ.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise ConfigError(f"{name}_FILE: cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}_FILE: {path} is not text in UTF-8") from None


def integer(
    environ: Mapping[str, str], name: str, default: int, minimum: int = 0, maximum: int = 2**31 - 1
) -> int:
    """Return the whole number from `minimum` to `maximum` that `name` holds."""
    value = environ.get(name) or str(default)
    digits = value.isascii() and value.isdecimal() and len(value) <= 10
    if not (digits and minimum <= int(value) <= maximum):
        bounds = f"from {minimum} on" if maximum == 2**31 - 1 else f"from {minimum} to {maximum}"
        raise ConfigError(f"{name} must be a whole number {bounds}, not {value!r}")
    return int(value)


def duration(environ: Mapping[str, str], name: str, default: str) -> timedelta:
    """Return the time that `name` holds: a number, and m, h or d for minutes, hours or days."""
    value = environ.get(name) or default
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", value, re.ASCII)
    if not match:
        raise ConfigError(f"{name} is {value!r}; it looks like 30m, 12h or 7d")
    return timedelta(**{{"m": "minutes", "h": "hours", "d": "days"}[match[2]]: int(match[1])})


def words(value: str) -> list[str]:
    """Return the words of `value`, which commas or spaces separate."""
    return value.replace(",", " ").split()


def log_level(environ: Mapping[str, str]) -> str:
    """Return the level that LOG_LEVEL names."""
    level = (environ.get("LOG_LEVEL") or "INFO").upper()
    if level not in LOG_LEVELS:
        raise ConfigError(f"LOG_LEVEL is {level}; it must be one of {', '.join(LOG_LEVELS)}")
    return level


def database_url(environ: Mapping[str, str]) -> str:
    """Return DATABASE_URL for psycopg2, with POSTGRES_PASSWORD where it names no password itself."""
    value = secret(environ, "DATABASE_URL")
    if not value:
        raise ConfigError("DATABASE_URL is not set; it looks like postgresql://user@host:5432/name")
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in ("postgres", "postgresql", "postgresql+psycopg2"):
        raise ConfigError("DATABASE_URL is malformed; it looks like postgresql://user@host:5432/name")
    if "@" in (url.host or ""):  # the rest of the password, which no message is to show
        raise ConfigError("DATABASE_URL: its password has an @, which is written %40 there")
    if url.password is None:
        url = url.set(password=secret(environ, "POSTGRES_PASSWORD") or None)
    return url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
