"""flask-smorest, with this app's errors and JSON parser."""

import json
from typing import Any, NoReturn

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Request, abort
from marshmallow import Schema, fields
from webargs.flaskparser import FlaskParser, is_json_request


class ProblemSchema(Schema):
    """An error: https://www.rfc-editor.org/rfc/rfc9457"""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String()
    request_id = fields.String(required=True)
    errors = fields.Dict(
        keys=fields.String(), metadata={"description": "For invalid fields: what is wrong with each."}
    )


def reject_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which are not JSON (RFC 8259, section 6)."""
    raise ValueError(f"{name} is not JSON")


class Parser(FlaskParser):
    """Reads the arguments of a request: 415 for a body that is not JSON, 400 for malformed JSON."""

    def _raw_load_json(self, req: Request) -> Any:
        if not is_json_request(req):
            abort(415, "Send the body as application/json.")
        try:
            return json.loads(req.get_data(cache=True), parse_constant=reject_constant)
        except (ValueError, RecursionError):
            abort(400, "The body is not valid JSON.")


def schema_name(schema: type[Schema] | Schema) -> str:
    """Return what the OpenAPI document calls `schema`: NoteSchema is Note, or NoteUpdate if partial."""
    name = (schema if isinstance(schema, type) else type(schema)).__name__.removesuffix("Schema")
    return f"{name}Update" if getattr(schema, "partial", False) else name


class Blueprint(flask_smorest.Blueprint):
    """A blueprint of the JSON API."""

    ARGUMENTS_PARSER = Parser()


class Api(flask_smorest.Api):
    """The JSON API and its OpenAPI document; errors are the app's (see errors.py)."""

    ERROR_SCHEMA = ProblemSchema

    def init_app(self, app: Flask, *, spec_kwargs: dict[str, Any] | None = None) -> None:
        """Serve the document of `app`."""
        plugin = MarshmallowPlugin(schema_name_resolver=schema_name)
        super().init_app(app, spec_kwargs={"marshmallow_plugin": plugin, **(spec_kwargs or {})})

    def _register_error_handlers(self) -> None:
        """Leave the errors to errors.py, which serves pages too."""
