"""FIELDS of a module: what was typed, read and checked.

name:type{arguments}?:index:unique:search=default
"""

import re
import shlex
from collections.abc import Callable
from dataclasses import replace

from .checks import TYPES, check_default, check_marks, check_reserved
from .field import Field
from .names import Names, UsageError, check_name

EXAMPLE = "name:type, as in title:string{100}, price:decimal{8,2}?, status:enum{draft,published}=draft"
FIELD = re.compile(
    r"(?P<name>[^:=]*):(?P<type>\w*)(\{(?P<arguments>[^}]*)\})?(?P<optional>\?)?(?P<marks>(:\w+)*)(=(?P<default>.*))?",
    re.DOTALL,
)


def read_fields(text: str, modules: Callable[[str], Names | None]) -> list[Field]:
    """Return the fields of `text` (UsageError); `modules` finds the one that a reference names."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError("FIELDS: a quote is not closed") from error
    if not "".join(words).isprintable():
        raise UsageError("FIELDS has characters that cannot be printed")
    if not words:
        raise UsageError(f"FIELDS= is missing; say {EXAMPLE}")
    fields = [read_field(word, modules) for word in words]
    columns = [f.column for f in fields] + [f.name for f in fields if f.target]
    for column in columns:
        if columns.count(column) > 1:
            raise UsageError(f"FIELDS: {column} is there twice")
    constants = [Names(f.name).many for f in fields if f.type == "enum"]
    for constant in constants:
        if constants.count(constant) > 1:
            raise UsageError(f"FIELDS: two enums would both be called {constant}; give one another name")
    return fields


def read_field(word: str, modules: Callable[[str], Names | None]) -> Field:
    """Return the field that `word` describes (UsageError)."""
    parts = FIELD.fullmatch(word)
    if parts is None:
        raise UsageError(f"FIELDS: {word} is not understood; say {EXAMPLE}")
    check_name(parts["name"], f"FIELDS: {word}")
    if parts["type"] not in TYPES:
        raise UsageError(
            f"FIELDS: {word}: there is no type {parts['type'] or '(none)'}; there are {', '.join(TYPES)}"
        )
    given, marks = parts["arguments"], frozenset(parts["marks"].split(":")[1:])
    found = Field(
        name=parts["name"],
        type=parts["type"],
        arguments=() if given is None else tuple(part.strip() for part in given.split(",")),
        optional=parts["optional"] is not None,
        marks=marks,
        default=parts["default"],
    )
    if found.type == "references":
        found = replace(found, target=modules(found.arguments[0] if found.arguments else found.name))
    for wrong in (check_marks(found), TYPES[found.type](found), check_default(found), check_reserved(found)):
        if wrong:
            raise UsageError(f"FIELDS: {word}: {wrong}")
    return found
