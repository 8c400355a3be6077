"""JSON out, by orjson (https://github.com/ijl/orjson), and in, if all readers take it in the same way."""

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn
from weakref import proxy

import orjson
from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider


def plain(value: Any) -> Any:
    """Return a value that JSON does not have as its field in a schema takes it (TypeError)."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return DefaultJSONProvider.default(value)


class Dumped(NamedTuple):
    """What a schema has dumped: there is no time of day in it, of which orjson 3.13 drops zeros (.010000)."""

    value: Any


class Provider(DefaultJSONProvider):
    """Flask's JSON, with times as RFC 3339 has them, decimals as strings, and names in their order."""

    default = staticmethod(plain)
    sort_keys = False

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self.app = proxy(app)  # whose own this is

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return the answer that has `args` or `kwargs` as its body, on several lines in development."""
        if args and isinstance(args[0], Dumped):
            body = self.encode(args[0].value)
        else:
            if args and kwargs:
                raise TypeError("an answer is made of positional or of keyword arguments")
            value = (args[0] if len(args) == 1 else args) if args else kwargs or None
            body = self.encode(value, orjson.OPT_PASSTHROUGH_DATETIME)
        return Response(body, mimetype=self.mimetype)

    def encode(self, value: Any, option: int = 0) -> bytes:
        """Return `value` as JSON, written by the standard library where orjson refuses it.

        It does so with integers beyond 64 bits, which a column of JSON may hold.
        """
        if self.app.debug:
            option |= orjson.OPT_INDENT_2
        try:
            return orjson.dumps(value, plain, option | orjson.OPT_APPEND_NEWLINE)
        except TypeError:
            return self.dumps(value).encode() + b"\n"


def reject_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which are not JSON (RFC 8259, section 6)."""
    raise ValueError(f"{name} is not JSON")


def finite(text: str) -> float:
    """Return the number `text`; refuse one that is too large for a float, which would be infinite."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is infinite")
    return number


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of `pairs`; refuse a name that comes twice (RFC 7493, section 2.3)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


JSON = json.JSONDecoder(parse_constant=reject_constant, parse_float=finite, object_pairs_hook=unique)


def read_json(text: str) -> Any:
    """Return the JSON value `text` (ValueError); what readers may take differently is refused."""
    try:
        return JSON.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
