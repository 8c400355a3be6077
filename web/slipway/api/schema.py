"""The base of every module's schema."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

import sqlalchemy as sa
from marshmallow import Schema as PlainSchema
from marshmallow import ValidationError, pre_load, validate
from marshmallow import fields as plain
from marshmallow_sqlalchemy import ModelConverter, SQLAlchemyAutoSchema
from marshmallow_sqlalchemy.schema import SQLAlchemyAutoSchemaOpts
from sqlalchemy.dialects import postgresql

from ..http.converters import BIGINT_MAX
from .fields import (
    DEPTH_MAX,
    Boolean,
    Date,
    DateTime,
    Decimal,
    Float,
    Integer,
    Json,
    Time,
    Uuid,
    check_storable,
)
from .serializer import FieldsOnly, Page

# Of every record; who sends them with what was got is not refused.
EVERYWHERE = frozenset({"id", "created_at", "updated_at", "version"})
LIMITS = [(sa.SmallInteger, 2**15), (sa.BigInteger, 2**63), (sa.Integer, 2**31)]


def is_generated(column: Any) -> bool:
    """Tell whether Postgres makes the value of a column, and takes none."""
    identity = getattr(column, "identity", None)
    return getattr(column, "computed", None) is not None or bool(identity and identity.always)


def list_of(converter: ModelConverter, array: sa.ARRAY[Any]) -> Callable[..., plain.List[Any]]:
    """Return what makes the field of an array: a list of its elements, or of lists, within their bounds."""
    field: plain.Field[Any] = converter.column2field(sa.Column("element", array.item_type, nullable=False))
    for _ in range((array.dimensions or 1) - 1):
        field = plain.List(field)
    return partial(plain.List, field)


class Converter(ModelConverter):
    """Columns as fields that take each value in one spelling, within the bounds of its type in Postgres."""

    SQLA_TYPE_MAPPING = ModelConverter.SQLA_TYPE_MAPPING | {
        sa.ARRAY: list_of,
        postgresql.ARRAY: list_of,
        sa.Boolean: Boolean,
        sa.Date: Date,
        sa.DateTime: DateTime,
        sa.Float: Float,
        sa.Integer: Integer,
        sa.JSON: Json,
        sa.Numeric: Decimal,
        sa.Time: Time,
        sa.Uuid: Uuid,
        postgresql.DATE: Date,
        postgresql.JSON: Json,
        postgresql.JSONB: Json,
        postgresql.TIME: Time,
        postgresql.UUID: Uuid,
    }

    def property2field(self, prop: Any, **options: Any) -> Any:
        """Return the field of an attribute of a model."""
        [column, *others] = getattr(prop, "columns", [None])
        own = options_of(column) if isinstance(column, sa.Column) and not others else {}
        return super().property2field(prop, **own | options)

    def column2field(self, column: sa.Column[Any], **options: Any) -> Any:
        """Return the field of a column."""
        return super().column2field(column, **options_of(column) | options)


def options_of(column: sa.Column[Any]) -> dict[str, Any]:
    """Return the options that the field of `column` has beside those of marshmallow-sqlalchemy."""
    options: dict[str, Any] = {}
    if is_generated(column) or column.info.get("read_only"):
        options |= {"dump_only": True, "required": False}
    if getattr(column.type, "asdecimal", False):
        options["precision"] = column.type.precision  # type: ignore[attr-defined] # of a Numeric
    if column.foreign_keys and isinstance(column.type, sa.Integer):
        return options | {"validate": validate.Range(1, BIGINT_MAX)}
    limit = next((limit for kind, limit in LIMITS if isinstance(column.type, kind)), None)
    return options if limit is None else options | {"validate": validate.Range(-limit, limit - 1)}


class Options(SQLAlchemyAutoSchemaOpts):
    """Options of a schema, whose fields this app's converter makes."""

    def __init__(self, meta: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(meta, *args, **kwargs)  # type: ignore[no-untyped-call] # marshmallow-sqlalchemy's
        self.model_converter = getattr(meta, "model_converter", Converter)


class Schema(FieldsOnly, SQLAlchemyAutoSchema[Any]):
    """Fields and their limits follow from the model (`class Meta: model = …`).

    Unknown fields are errors; read-only ones are ignored, so that what was got can be edited and sent back.
    """

    OPTIONS_CLASS = Options

    id = plain.Integer(dump_only=True, metadata={"format": "int64"})
    created_at = DateTime(dump_only=True)
    updated_at = DateTime(dump_only=True)
    version = plain.Integer(dump_only=True)

    def load(self, data: Any, **options: Any) -> Any:
        """Return `data` as the fields load it (ValidationError).

        marshmallow-sqlalchemy's own makes records as well, and asks for marshmallow's version in its files
        each time.
        """
        if self.opts.load_instance or {"session", "instance", "transient"} & options.keys():
            return super().load(data, **options)
        return PlainSchema.load(self, data, **options)

    @cached_property
    def generated(self) -> frozenset[str]:
        """The fields whose values Postgres makes."""
        model = self.opts.model
        properties = sa.inspect(model).column_attrs if model else ()
        return frozenset(prop.key for prop in properties if is_generated(prop.columns[0])) - EVERYWHERE

    @pre_load
    def drop_read_only(self, data: Any, **_: Any) -> Any:
        """Leave out what only the server sets; refuse what nobody does."""
        if not isinstance(data, Mapping):
            return data
        if refused := self.generated & data.keys():
            raise ValidationError({name: ["Read-only."] for name in refused})
        read_only = self.dump_fields.keys() - self.load_fields.keys()
        return {name: value for name, value in data.items() if name not in read_only}

    @pre_load
    def refuse_unstorable(self, data: Any, **_: Any) -> Any:
        """Refuse text that Postgres cannot store."""
        errors = {}
        for name, value in data.items() if isinstance(data, Mapping) else ():
            try:
                check_storable(value, DEPTH_MAX)
            except ValidationError as error:
                errors[str(name)] = error.messages
        if errors:
            raise ValidationError(errors)
        return data


Schema.has_methods = False  # those above have nothing to do with a dump


def page_of(schema: type[PlainSchema]) -> type[PlainSchema]:
    """Return the schema of a page of a list of `schema`."""
    name = schema.__name__.removesuffix("Schema") + "Page"
    return Page.from_dict(
        {
            "items": plain.List(plain.Nested(schema), required=True),
            "next": plain.String(
                required=True, allow_none=True, metadata={"description": "The next page, null on the last."}
            ),
        },
        name=name,
    )
