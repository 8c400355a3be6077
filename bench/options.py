"""What is typed beside `make bench` and `make profile`."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .works import NAMES, WORKS

REMOTE = ("list", "get", "create", "page")  # what another server has
LOADS = tuple(name for name, work in WORKS.items() if name != "cached")  # what any commit has
PROFILED = tuple(name for name, work in WORKS.items() if work.ours.contestant == "ours" and name != "cached")


class UsageError(Exception):
    """Something was typed that is not understood; the message is one line."""


@dataclass(frozen=True)
class Options:
    """How long what is measured, and where."""

    rounds: int
    seconds: int
    works: tuple[str, ...]
    url: str = ""
    against: str = ""  # a commit


def read_options(verb: str, typed: Mapping[str, str]) -> Options:
    """Return the options of `verb` that `typed` holds (UsageError)."""
    rounds = number(typed, "ROUNDS", 3)
    seconds = number(typed, "SECONDS", 10 if verb == "profile" else 8)
    if verb == "profile":
        chosen = works(typed, PROFILED, ("list",))
        if len(chosen) > 1:
            raise UsageError(f"WORK={typed['WORK']}: one at a time")
        return Options(rounds, seconds, chosen)
    if url := read_url(typed):
        return Options(rounds, seconds, works(typed, REMOTE, ("list", "get", "page")), url)
    if against := typed.get("AGAINST", ""):
        if against.startswith("-"):
            raise UsageError(f"AGAINST={against}: say a commit, as HEAD~1")
        return Options(rounds, seconds, works(typed, LOADS, LOADS), against=against)
    return Options(rounds, seconds, works(typed, NAMES, NAMES))


def number(typed: Mapping[str, str], name: str, default: int) -> int:
    """Return the whole number that `name` holds."""
    text = typed.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= 1000):
        raise UsageError(f"{name}={text}: say a whole number from 1 to 1000")
    return int(text)


def works(typed: Mapping[str, str], known: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that WORK holds, in the order of `known`."""
    named = (typed.get("WORK") or " ".join(default)).split()
    for name in named:
        if name not in known:
            raise UsageError(f"WORK={name}: there are {', '.join(known)}")
    return tuple(name for name in known if name in named)


def read_url(typed: Mapping[str, str]) -> str:
    """Return the URL of the server to measure, without a slash at its end; "" where there is none."""
    url = typed.get("URL", "").rstrip("/")
    if url and not (url.startswith(("http://", "https://")) and urlsplit(url).hostname):
        raise UsageError(f"URL={url}: say it as http://host:port")
    return url
