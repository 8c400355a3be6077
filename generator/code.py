"""The code of a field: its column, its check in the schema, its control in a form."""

import json
from collections.abc import Iterator

from .field import Field
from .names import Names

PYTHON_TYPES = {
    "bigint": "int",
    "boolean": "bool",
    "date": "dt.date",
    "datetime": "dt.datetime",
    "decimal": "Decimal",
    "enum": "str",
    "float": "float",
    "integer": "int",
    "json": "Any",
    "references": "int",
    "string": "str",
    "text": "str",
    "time": "dt.time",
    "uuid": "UUID",
}
INPUTS = {
    "bigint": 'type="number", step="1"',
    "date": 'type="date"',
    "datetime": 'type="datetime-local", step="1"',
    "float": 'type="number", step="any"',
    "integer": 'type="number", step="1", min="-2147483648", max="2147483647"',
    "time": 'type="time", step="1"',
    "uuid": 'maxlength="36"',
}


def quoted(text: str) -> str:
    """Return `text` as a string of Python's or Jinja's."""
    return json.dumps(text, ensure_ascii=False)


def check(condition: str, name: str, prefix: str = "") -> str:
    """Return a constraint of a column."""
    return f"CheckConstraint({prefix}{quoted(condition)}, name={quoted(name)})"


def constant(field: Field) -> str:
    """Return the name of the values of an enum: STATUSES."""
    return Names(field.name).many.upper()


def annotation(field: Field) -> str:
    """Return the type of a column's attribute."""
    return PYTHON_TYPES[field.type] + (" | None" if field.optional else "")


def column_arguments(field: Field, owned: bool) -> Iterator[str]:
    """Yield what the annotation leaves open: type, checks, what it refers to, default."""
    name = field.name
    match field.type:
        case "string":
            yield f"String({field.length})"
            if field.shortest:
                yield check(f"{name} <> ''", f"{name}_given")
        case "text":
            bounds = f"BETWEEN 1 AND {field.length}" if field.shortest else f"<= {field.length}"
            yield "Text"
            yield check(f"char_length({name}) {bounds}", f"{name}_length")
        case "enum":
            yield "String(50)"
            yield check(f"{name} IN {{{constant(field)}}}", f"{name}_known", "f")
        case "decimal":
            yield "Numeric({}, {})".format(*field.digits)
        case "bigint":
            yield "BigInteger"
        case "datetime":
            yield "DateTime(timezone=True)"
        case "json":
            yield "JSONB(none_as_null=True)"
            yield f"nullable={field.optional}"
        case "references" if field.target:
            yield f"ForeignKey({quoted(field.target.many + '.id')})"
    if field.unique and not owned:
        yield "unique=True"
    if field.default is not None:
        moments = {"now": "func.now()", "today": "func.current_date()"}
        now = field.type in ("date", "datetime") and field.default in moments
        yield f"server_default={moments[field.default] if now else quoted(field.default)}"


def validator(field: Field) -> str:
    """Return the validator of a field."""
    if field.type == "enum":
        return f"validate.OneOf({constant(field)})"
    shortest = "1, " if field.shortest else "max="
    return f"validate.Length({shortest}{field.length:_})"


def control(field: Field) -> str:
    """Return the macro that makes a field's control in a form."""
    label = field.label + (" (UTC)" if field.type == "datetime" else "")
    arguments = [quoted(field.column), quoted(label)]
    macro, more = kind(field)
    if macro != "checkbox":
        arguments += [more] if more else []
        arguments += (
            ["required=true"] if field.required or (field.type == "enum" and not field.optional) else []
        )
    return f"{macro}({', '.join(arguments)})"


def kind(field: Field) -> tuple[str, str]:
    """Return the macro for a field, and the arguments that are the type's."""
    match field.type:
        case "text":
            return "textarea", f'rows="8", maxlength="{field.length}"'
        case "json":
            return "textarea", 'rows="8"'
        case "boolean" if field.optional:
            return "select", '[("true", "yes"), ("false", "no")]'
        case "boolean":
            return "checkbox", ""
        case "enum":
            return "select", f"{field.name}_choices"
        case "references":
            return "reference", f"{field.name}_choices"
        case "string":
            return "input", f'maxlength="{field.length}"'
        case "decimal":
            step = f"{10 ** -field.digits[1]:.{field.digits[1]}f}"
            return "input", f'type="number", step="{step}"'
    return "input", INPUTS[field.type]
