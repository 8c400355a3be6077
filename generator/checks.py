"""What fits together in a field; each check returns what is wrong, "" where nothing is."""

import ast
import json
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import NoReturn
from uuid import UUID

from flask_sqlalchemy.model import Model
from marshmallow_sqlalchemy import SQLAlchemyAutoSchema

from .field import TEXT_MAX, Field

MARKS = ("index", "unique", "search")
INDEXED_MAX = 500  # characters; a row of a B-tree has 2700 bytes at most
ENUM_MAX = 50
DIGITS_MAX = 28  # of Python's decimal arithmetic
ROOT = Path(__file__).parents[1]
# What a model and its schema are made of, beside what their libraries give them.
CLASSES = {
    "Base": "web/slipway/db/models.py",
    "Owned": "web/app/gauth/owned.py",
    "Schema": "web/slipway/api/schema.py",
}


def members(name: str, path: Path) -> set[str]:
    """Return the names that a class defines in its source, which need not be importable here."""
    tree = ast.parse(path.read_bytes() if path.exists() else b"")
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    members: set[str] = set()
    for node in (node for found in classes for node in found.body):
        match node:
            case ast.FunctionDef(name=member) | ast.AnnAssign(target=ast.Name(id=member)):
                members.add(member)
            case ast.Assign(targets=[ast.Name(id=member)]):
                members.add(member)
    return members


RESERVED = {
    *(member for name, path in CLASSES.items() for member in members(name, ROOT / path)),
    *("metadata", "registry", *dir(Model), *dir(SQLAlchemyAutoSchema)),
    "owner",
    *("self", "cls", "int", "str", "bool", "float"),  # of Python
    *("limit", "after", "sort", "q"),  # of the query of a list
    *("csrf_token", "by", "unindexed", "session", "instance", "transient"),  # of forms and schemas
    *("unknown", "only", "many", "partial", "exclude", "ordered"),
}


def check_reserved(found: Field) -> str:
    """Return what is wrong with the name of a field, "" where nothing is."""
    taken = RESERVED & {found.name, found.column}
    return f"{found.name} has a meaning already; take another name" if taken else ""


def check_marks(found: Field) -> str:
    """Return what is wrong with the marks of a field, "" where nothing is."""
    for mark in found.marks - set(MARKS):
        return f"there is no :{mark}; there are :{', :'.join(MARKS)}"
    if found.searched and found.type not in ("string", "text"):
        return f":search is for string and text, not for {found.type}"
    if found.marks & {"index", "unique"} and found.type in ("text", "json"):
        return f":index and :unique are not for {found.type}, whose values are too long"
    if found.unique and found.type in ("boolean", "enum"):
        return f":unique is not for {found.type}, which has but a few values"
    if found.optional and found.default is not None:
        return "? and a default do not go together: null would mean the default"
    if found.unique and found.default is not None:
        return ":unique and a default do not go together"
    return ""


def no_arguments(found: Field) -> str:
    """Refuse arguments."""
    return f"{found.type} takes no {{…}}" if found.arguments else ""


def numbers(arguments: Sequence[str], count: int) -> list[int]:
    """Return `arguments` as numbers, none where they are not `count`."""
    fits = len(arguments) == count and all(re.fullmatch(r"\d{1,7}", a, re.ASCII) for a in arguments)
    return [int(argument) for argument in arguments] if fits else []


def check_length(found: Field) -> str:
    """Check the length of a string or text."""
    limit = TEXT_MAX * 20 if found.type == "text" else 10_000
    if found.arguments and not 1 <= (numbers(found.arguments, 1) or [0])[0] <= limit:
        return f"its length is a number from 1 to {limit}, as in {found.type}{{100}}"
    if found.unique and found.length < 2:
        return ":unique wants 2 characters or more"
    if found.marks & {"index", "unique"} and found.length > INDEXED_MAX:
        return f"what is indexed has {INDEXED_MAX} characters at most, as in {found.type}{{{INDEXED_MAX}}}"
    return ""


def check_digits(found: Field) -> str:
    """Check precision and scale."""
    digits = numbers(found.arguments, 2) if found.arguments else [10, 2]
    if not digits or not 0 <= digits[1] <= digits[0] or not 1 <= digits[0] <= DIGITS_MAX:
        return f"digits in all, {DIGITS_MAX} at most, and after the point, as in decimal{{8,2}}"
    if found.unique and digits[0] < 4:
        return ":unique wants 4 digits or more"
    return ""


def check_values(found: Field) -> str:
    """Check the values of an enum."""
    values = found.arguments
    if len(values) < 2 or len(set(values)) < len(values):
        return "an enum has two values or more, each once, as in enum{draft,published}"
    if not all(
        re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", value) and len(value) <= ENUM_MAX for value in values
    ):
        return f"a value has letters, digits, _, . and -, and {ENUM_MAX} characters at most"
    return ""


def check_reference(found: Field) -> str:
    """Check a reference."""
    if len(found.arguments) > 1:
        return "a reference names one module, as in writer:references{author}"
    if found.target is None:
        return f"there is no module of {(found.arguments or (found.name,))[0]}; make that one first"
    return "a reference has no default" if found.default is not None else ""


TYPES: dict[str, Callable[[Field], str]] = {
    "string": check_length,
    "text": check_length,
    "integer": no_arguments,
    "bigint": no_arguments,
    "float": no_arguments,
    "decimal": check_digits,
    "boolean": no_arguments,
    "date": no_arguments,
    "time": no_arguments,
    "datetime": no_arguments,
    "uuid": no_arguments,
    "json": no_arguments,
    "enum": check_values,
    "references": check_reference,
}


def check_default(found: Field) -> str:
    """Return what is wrong with the default of a field, "" where nothing is."""
    if found.default is None:
        return ""
    if re.search(r":(index|unique|search)$", found.default):
        return "the default comes last, as in body:text:search="
    try:
        fits = DEFAULTS[found.type](found, found.default)
    except (ValueError, TypeError):
        fits = False
    return "" if fits else f"{found.default or '(empty)'} is no default of this type"


def is_whole(text: str, bits: int) -> bool:
    """Tell whether `text` is a whole number of so many bits."""
    return re.fullmatch(r"-?\d{1,20}", text, re.ASCII) is not None and -(2 ** (bits - 1)) <= int(
        text
    ) < 2 ** (bits - 1)


def is_decimal(found: Field, text: str) -> bool:
    """Tell whether `text` is a decimal with the digits of `found`."""
    parts = re.fullmatch(r"-?(\d+)(?:\.(\d+))?", text, re.ASCII)
    precision, scale = found.digits
    return (
        parts is not None and len(parts[1].lstrip("0")) <= precision - scale and len(parts[2] or "") <= scale
    )


def is_moment(text: str) -> bool:
    """Tell whether `text` is a time of RFC 3339."""
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"
    return re.fullmatch(pattern, text, re.ASCII) is not None and bool(datetime.fromisoformat(text))


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which are not JSON."""
    raise ValueError(name)


DEFAULTS: dict[str, Callable[[Field, str], bool]] = {
    "string": lambda found, text: len(text) <= found.length,
    "text": lambda found, text: len(text) <= found.length,
    "integer": lambda found, text: is_whole(text, 32),
    "bigint": lambda found, text: is_whole(text, 64),
    "float": lambda found, text: re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text, re.ASCII) is not None,
    "decimal": is_decimal,
    "boolean": lambda found, text: text in ("true", "false"),
    "date": lambda found, text: text == "today" or date.fromisoformat(text).isoformat() == text,
    "time": lambda found, text: time.fromisoformat(text).tzinfo is None,
    "datetime": lambda found, text: text == "now" or is_moment(text),
    "uuid": lambda found, text: str(UUID(text)) == text,
    "json": lambda found, text: json.loads(text, parse_constant=no_constant) is not None,
    "enum": lambda found, text: text in found.arguments,
    "references": lambda found, text: False,
}
