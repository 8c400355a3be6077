"""JSON out, by orjson: https://github.com/ijl/orjson"""

import datetime as dt
from decimal import Decimal
from typing import Any, NamedTuple
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

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self.app = proxy(app)  # whose own this is

    sort_keys = False

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return the answer that has `args` or `kwargs` as its body, on several lines in development."""
        if args and isinstance(args[0], Dumped):
            body = self.encode(args[0].value)
        else:
            body = self.encode(self._prepare_response_obj(args, kwargs), orjson.OPT_PASSTHROUGH_DATETIME)
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
