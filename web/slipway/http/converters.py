"""Converters for the variable parts of a URL."""

from typing import Any

from werkzeug.routing import BaseConverter, ValidationError

BIGINT_MAX = 2**63 - 1


class IdConverter(BaseConverter):
    """`<id:note_id>`: a record's id, 1 to 2^63 - 1; anything else does not match, so that it is a 404."""

    regex = r"[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > BIGINT_MAX:
            raise ValidationError
        return number


def id_parameter(converter: IdConverter) -> dict[str, Any]:
    """Return the OpenAPI schema of an id."""
    return {"type": "integer", "format": "int64", "minimum": 1, "maximum": BIGINT_MAX}
