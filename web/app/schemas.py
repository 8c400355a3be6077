"""The base of every module's schema."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema as PlainSchema
from marshmallow import ValidationError, fields, pre_load
from marshmallow_sqlalchemy import SQLAlchemyAutoSchema


def unstorable(value: Any) -> bool:
    """Tell whether Postgres cannot store the text `value`: it has a NUL character or a lone surrogate."""
    return isinstance(value, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value)


class Schema(SQLAlchemyAutoSchema[Any]):
    """Fields and their limits follow from the model (`class Meta: model = …`).

    Unknown fields are errors; read-only ones are ignored, so that what was got can be edited and sent back.
    """

    id = fields.Integer(dump_only=True, metadata={"format": "int64"})
    created_at = fields.AwareDateTime(dump_only=True)
    updated_at = fields.AwareDateTime(dump_only=True)
    version = fields.Integer(dump_only=True)

    @pre_load
    def drop_read_only(self, data: Any, **_: Any) -> Any:
        """Leave out what only the server sets."""
        if not isinstance(data, Mapping):
            return data
        read_only = self.dump_fields.keys() - self.load_fields.keys()
        return {name: value for name, value in data.items() if name not in read_only}

    @pre_load
    def refuse_unstorable(self, data: Any, **_: Any) -> Any:
        """Refuse text that Postgres cannot store."""
        if isinstance(data, Mapping):
            errors = {str(name): ["Not storable text."] for name, value in data.items() if unstorable(value)}
            if errors:
                raise ValidationError(errors)
        return data


def page_of(schema: type[PlainSchema]) -> type[PlainSchema]:
    """Return the schema of a page of a list of `schema`."""
    name = schema.__name__.removesuffix("Schema") + "Page"
    return PlainSchema.from_dict(
        {
            "items": fields.List(fields.Nested(schema), required=True),
            "next": fields.String(
                required=True, allow_none=True, metadata={"description": "The next page, null on the last."}
            ),
        },
        name=name,
    )
