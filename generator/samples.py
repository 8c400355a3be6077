"""Values for the tests of a module: valid and invalid ones of each type of field, as Python writes them."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal

from .field import Field

INVALID = {
    "bigint": ['"1"', "1.5", "2**63"],
    "boolean": ['"true"', "1"],
    "date": ['"2026-02-30"', '"31.1.2026"', "1"],
    "datetime": ['"2026-01-31T13:45:00"', '"now"', "1"],
    "float": ['"1.5"', "True"],
    "integer": ['"1"', "1.5", "2**31"],
    "json": [r'{"a": "\0"}'],
    "references": ["0", '"1"'],
    "time": ['"12:60:00"', '"noon"', "1"],
    "uuid": ['"x"', "1"],
}
LETTERS = {  # numbers of few characters, in their order
    2: "chr(65 + n // 26) + chr(65 + n % 26)",
    3: "chr(65 + n // 676) + chr(65 + n // 26 % 26) + chr(65 + n % 26)",
}
VALID = {
    "bigint": ("0", "-1"),
    "boolean": ("True", "False"),
    "date": ('"2026-01-31"', '"2026-02-28"'),
    "datetime": ('"2026-01-31T13:45:00+00:00"', '"2026-02-28T00:00:00+00:00"'),
    "float": ("1.5", "-2.25"),
    "integer": ("0", "-1"),
    "json": ('{"a": [1, None]}', '["b"]'),
    "time": ('"13:45:00"', '"00:00:00"'),
    "uuid": ('"6f1dcb5a-7a0e-4f4c-9f57-2b1f1b7f2d10"', '"0b0f2a1e-3d44-4c55-8a66-1f2e3d4c5b6a"'),
}


def native(f: Field, value: str) -> str:
    """Return `value`, of JSON, as a model has it."""
    match f.type:
        case "decimal":
            return f"Decimal({value})"
        case "date" | "time" | "datetime":
            return f"dt.{f.type}.fromisoformat({value})"
        case "uuid":
            return f"UUID({value})"
    return value


def in_form(value: str) -> str:
    """Return `value`, of JSON, as a form sends it: times without what a form's control does not have."""
    if value.startswith('"'):
        return value.removesuffix(':00+00:00"') + '"' if value.endswith(':00+00:00"') else value
    return repr(json.dumps(ast.literal_eval(value)))


@dataclass(frozen=True)
class Samples:
    """Values of the fields of a module."""

    fields: list[Field]

    def valid(self, f: Field) -> str:
        """Return a value, as JSON has it."""
        return self.pair(f)[0]

    def other(self, f: Field) -> str:
        """Return another value."""
        return self.pair(f)[1]

    def pair(self, f: Field) -> tuple[str, str]:
        match f.type:
            case "string" | "text":
                text = f"A {f.label.lower()}"[: f.length].rstrip() or "A"
                return f'"{text}"', '"B"'
            case "decimal":
                scale = f.digits[1]
                return f'"{0:.{scale}f}"', f'"{-(10**-scale):.{scale}f}"'
            case "enum":
                return f'"{f.arguments[0]}"', f'"{f.arguments[1]}"'
        return VALID[f.type]

    def invalid(self, f: Field) -> Iterator[str]:
        """Yield values that are refused."""
        if not f.optional:
            yield "None"
        match f.type:
            case "string" | "text":
                if f.shortest:
                    yield '""'
                yield f'"x" * {f.length + 1:_}'
                yield "5"
            case "decimal":
                precision, scale = f.digits
                yield "1.5"
                yield '"x"'
                yield f'"0.{"0" * scale}1"'
                yield f'"1{"0" * (precision - scale)}"'
            case "enum":
                yield '"unknown"' if "unknown" not in f.arguments else '"not one of them"'
                yield "1"
            case _:
                yield from INVALID[f.type]

    def numbered(self, f: Field) -> str:
        """Return the value of the record with the number n, for a factory: those of unique fields differ."""
        if not f.unique:
            return self.native(f)
        match f.type:
            case "string":
                return LETTERS.get(f.length, 'f"{n:04}"')
            case "decimal":
                return f"Decimal(n).scaleb(-{f.digits[1]})"
            case "date":
                return "dt.date(2000, 1, 1) + dt.timedelta(n)"
            case "datetime":
                return "dt.datetime(2000, 1, 1, tzinfo=dt.UTC) + dt.timedelta(n)"
            case "time":
                return "dt.time(n // 3600, n // 60 % 60, n % 60)"
            case "uuid":
                return "UUID(int=n)"
            case "float":
                return "n + 0.25"
        return "n"

    def native(self, f: Field) -> str:
        """Return a value as a model has it."""
        return native(f, self.valid(f))

    def native_other(self, f: Field) -> str:
        """Return another value as a model has it."""
        return native(f, self.other(f))

    def form(self, f: Field) -> str:
        """Return a value as a form sends it."""
        return '"true"' if f.type == "boolean" else in_form(self.valid(f))

    def form_other(self, f: Field) -> str:
        """Return another value as a form sends it."""
        return in_form(self.other(f))

    def default(self, f: Field) -> str:
        """Return, as JSON has it, what a record is created with where nothing is said of a field."""
        if f.default is None:
            return "None"
        match f.type:
            case "integer" | "bigint" | "float":
                return str(float(f.default)) if f.type == "float" else str(int(f.default))
            case "boolean":
                return f.default.capitalize()
            case "decimal":
                return f'"{Decimal(f.default):.{f.digits[1]}f}"'
            case "datetime":
                return repr(datetime.fromisoformat(f.default).astimezone(UTC).isoformat())
            case "time":
                return repr(time.fromisoformat(f.default).isoformat())
            case "json":
                return repr(json.loads(f.default))
        return repr(f.default)

    @property
    def mistyped(self) -> Field | None:
        """The field that a form is tried with a wrong value of: one whose text the form shows again."""
        for kind in (
            "string",
            "text",
            "integer",
            "bigint",
            "decimal",
            "float",
            "date",
            "time",
            "datetime",
            "uuid",
            "json",
        ):
            for f in self.fields:
                if f.type == kind:
                    return f
        return None

    def mistake(self, f: Field) -> str:
        """Return text that a form refuses in a field."""
        return f'"x" * {f.length + 1:_}' if f.type in ("string", "text") else '"wrong"'
