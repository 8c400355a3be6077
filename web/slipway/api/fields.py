"""Fields of schemas that take each value in one spelling: JSON's own types, and RFC 3339 for times.

`from_text` gives what a form or a query says the shape that JSON has; `to_text` is its inverse, for a form.
What is no such value stays text, which the field then refuses.
"""

import datetime as dt
import json
import re
from typing import Any

from marshmallow import ValidationError, fields

from ..db.postgres_values import MayBeBeyond, is_beyond
from .json_provider import read_json

DEPTH_MAX = 64
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class Malformed(str):
    """Text that is no JSON, where a form wants some."""

    __slots__ = ()


def unstorable(value: Any) -> bool:
    """Tell whether Postgres cannot store the text `value`: it has a NUL character or a lone surrogate."""
    return isinstance(value, str) and UNSTORABLE.search(value) is not None


def from_text(field: fields.Field[Any], text: str) -> Any:
    """Return `text`, of a form or a query, in the shape that `field` loads."""
    return field.from_text(text) if hasattr(field, "from_text") else text


def to_text(field: fields.Field[Any], value: Any) -> str:
    """Return what `field` dumps as the text that a form shows."""
    if value is None:
        return ""
    return str(field.to_text(value) if hasattr(field, "to_text") else value)


def with_zero(text: str) -> str:
    """Return a number that begins with its point, as browsers let one be typed, with a zero before it."""
    return re.sub(r"^(-?)(?=\.)", r"\g<1>0", text)


class Integer(fields.Integer):
    """A whole number; 1.0 is one too (JSON Schema, section 6.1.1)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        whole = isinstance(value, float) and value.is_integer()
        if not whole and (not isinstance(value, int) or isinstance(value, bool)):
            raise self.make_error("invalid")
        return int(value)

    def from_text(self, text: str) -> int | str:
        return int(text) if re.fullmatch(r"-?\d{1,20}", text, re.ASCII) else text


class Float(fields.Float):
    """A number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if not isinstance(value, int | float):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)

    def from_text(self, text: str) -> float | str:
        return (
            float(text)
            if re.fullmatch(r"-?\d{1,40}(\.\d{1,40})?(e[+-]?\d{1,3})?", text, re.A | re.I)
            else text
        )


class Decimal(fields.Decimal):
    """A decimal number as a string, with no more digits than its column has."""

    def __init__(self, *, precision: int | None = None, places: int | None = None, **kwargs: Any) -> None:
        before, after = (1000 if precision is None else precision - (places or 0)), places
        whole = f"[0-9]{{1,{before}}}" if before else "0"
        fraction = r"(\.[0-9]+)?" if precision is None else rf"(\.[0-9]{{1,{after}}})?" if after else ""
        self.pattern = f"-?{whole}{fraction}"
        metadata = {"type": "string", "pattern": f"^{self.pattern}$"} | kwargs.pop("metadata", {})
        super().__init__(places=places, as_string=True, metadata=metadata, **kwargs)
        bounds = (
            "" if precision is None else f" of at most {before} digits before the point, {after or 0} after"
        )
        self.error_messages["invalid"] = f"Not a number{bounds} (JSON has it as a string)."

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value, re.ASCII):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs) + 0  # there is no -0 in Postgres

    def from_text(self, text: str) -> str:
        return with_zero(text)


class Boolean(fields.Boolean):
    """True or false."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value

    def from_text(self, text: str) -> bool | str:
        return {"true": True, "false": False}.get(text, text)

    def to_text(self, value: bool) -> str:
        return "true" if value else "false"


class Date(MayBeBeyond, fields.Date):
    """A date: 2026-01-31."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        if not isinstance(value, str) or not DATE.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return super()._deserialize(value, attr, data, **kwargs)


class Time(MayBeBeyond, fields.Time):
    """A time of day: 13:45:00."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metadata = {"pattern": r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$"} | dict(self.metadata)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.time:
        if not isinstance(value, str) or not TIME.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return super()._deserialize(value, attr, data, **kwargs)

    def from_text(self, text: str) -> str:
        return f"{text}:00" if re.fullmatch(r"\d\d:\d\d", text, re.ASCII) else text

    def to_text(self, value: str) -> str:
        return value if is_beyond(value) else value[:8]


class DateTime(MayBeBeyond, fields.AwareDateTime):
    """A moment: 2026-01-31T13:45:00Z, in UTC; other offsets are converted, and forms have UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.datetime:
        parts = MOMENT.fullmatch(value) if isinstance(value, str) else None
        if not parts:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        try:
            return dt.datetime.fromisoformat(
                "".join(part or "" for part in parts.groups()).upper()
            ).astimezone(dt.UTC)
        except (ValueError, OverflowError) as error:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from error

    def from_text(self, text: str) -> str:
        if not LOCAL.fullmatch(text):
            return text
        return f"{text}:00Z" if len(text) == len("2026-01-31T13:45") else f"{text}Z"

    def to_text(self, value: str) -> str:
        return value if is_beyond(value) else value[: len("2026-01-31T13:45:00")]


class Uuid(fields.UUID):
    """A UUID, as RFC 9562 writes it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not UUID_TEXT.fullmatch(value):
            raise self.make_error("invalid_uuid")
        return super()._deserialize(value, attr, data, **kwargs)


class Json(fields.Raw):
    """Any JSON that Postgres stores."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not self.allow_none:
            types = ["array", "boolean", "number", "object", "string"]
            self.metadata = {"type": types, "items": {}} | dict(self.metadata)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, Malformed):
            raise ValidationError("Not valid JSON.")
        check_storable(value, DEPTH_MAX)
        return value

    def from_text(self, text: str) -> Any:
        try:
            return read_json(text)
        except ValueError:
            return Malformed(text)

    def to_text(self, value: Any) -> str:
        return json.dumps(value, indent=2, ensure_ascii=False)


def check_storable(value: Any, depth: int) -> None:
    """Raise ValidationError if the JSON `value` has text that Postgres cannot store, or is nested deeper."""
    if unstorable(value):
        raise ValidationError("Not storable text.")
    if isinstance(value, dict | list):
        if not depth:
            raise ValidationError(f"Nested deeper than {DEPTH_MAX}.")
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        for item in inner:
            check_storable(item, depth - 1)
