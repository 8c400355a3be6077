"""The names of a module: `book`, `books`, `Book`, in English; and those that cannot be used."""

import builtins
import keyword
import re
from dataclasses import dataclass
from functools import cached_property

import inflect
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

ENGLISH = inflect.engine()
OES = ("hero", "potato", "tomato", "echo", "veto", "torpedo", "embargo")
PLURALS = ("people", "children", "men", "women")
LENGTH_MAX = 40


class UsageError(Exception):
    """What was typed is wrong; the message says how, and what to type."""


@dataclass(frozen=True)
class Names:
    """What the things of a module are called, from the singular in snake case: blog_post."""

    one: str
    owned: bool = False  # whether each record belongs to a user

    @cached_property
    def many(self) -> str:
        """blog_posts"""
        *before, last = self.one.split("_")
        plural = ENGLISH.plural_noun(last)
        if plural.endswith("oes") and last not in OES:
            plural = f"{last}s"
        return "_".join([*before, plural])

    @property
    def model(self) -> str:
        """BlogPost"""
        return "".join(part.capitalize() for part in self.one.split("_"))

    @property
    def text(self) -> str:
        """blog post"""
        return self.one.replace("_", " ")

    @property
    def texts(self) -> str:
        """blog posts"""
        return self.many.replace("_", " ")

    @property
    def a(self) -> str:
        """a blog post; an author"""
        return str(ENGLISH.a(self.text))


def title(name: str) -> str:
    """Return `name` as a label: Published on."""
    return name.replace("_", " ").capitalize()


def module_names(given: str) -> Names:
    """Return the names of the module `given`, as blog_post or BlogPost (UsageError)."""
    one = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", given).lower()
    if not given:
        raise UsageError('NAME= is missing; type make module NAME=book FIELDS="title:string"')
    check_name(one, f"NAME={given}")
    names = Names(one)
    *before, last = one.split("_")
    singular = ENGLISH.singular_noun(last)
    # Not of bus, whose plural has more than an s, nor of specimen, which the library takes for a plural.
    if singular and names.many == f"{one}s" and (one.endswith("s") or last in PLURALS):
        raise UsageError(f"NAME={given} is a plural; say NAME={'_'.join([*before, str(singular)])}")
    if hasattr(builtins, one) or hasattr(builtins, names.model):
        raise UsageError(f"NAME={given}: Python has a {one} of its own; take another name, like my_{one}")
    return names


def check_name(name: str, said: str) -> None:
    """Refuse what cannot name a column or a module (UsageError); `said` is what was typed."""
    if not re.fullmatch(r"[a-z]([a-z0-9]|_(?=[a-z0-9]))*", name, re.ASCII):
        raise UsageError(
            f"{said}: a name has lower-case letters and digits, single _ between, and a letter first"
        )
    if len(name) > LENGTH_MAX:
        raise UsageError(f"{said}: a name has {LENGTH_MAX} characters at most")
    if keyword.iskeyword(name):
        raise UsageError(f"{said}: {name} is a keyword of Python; take another name")
    if name in RESERVED_WORDS:
        raise UsageError(f"{said}: {name} is a keyword of SQL; take another name")
