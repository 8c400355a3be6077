"""flask-smorest, with this app's errors and JSON parser."""

from copy import copy
from http import HTTPStatus
from typing import Any

import flask_smorest
from flask import Flask, Request, abort, current_app
from flask_smorest.utils import resolve_schema_instance
from marshmallow import Schema, fields
from webargs.flaskparser import FlaskParser, is_json_request

from .json_provider import Dumped, Provider, read_json
from .openapi import Plugin, is_versioned
from .serializer import dump_of

PROBLEM = "application/problem+json"


class ProblemSchema(Schema):
    """An error: https://www.rfc-editor.org/rfc/rfc9457"""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.Dict(
        keys=fields.String(), metadata={"description": "For invalid fields: what is wrong with each."}
    )


class Parser(FlaskParser):
    """Reads the arguments of a request: 415 for a body that is not plain JSON, 400 for malformed JSON."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Return the JSON in the body of a request."""
        if not is_json_request(req):
            abort(415, "Send the body as application/json.")
        if req.headers.get("Content-Encoding", "identity") != "identity":
            abort(415, "Send the body without a Content-Encoding.")
        try:
            return read_json(req.get_data(cache=True).decode())
        except ValueError:
            abort(400, "The body is not valid JSON in UTF-8, with each name once.")


class Blueprint(flask_smorest.Blueprint):
    """A blueprint of the JSON API."""

    ARGUMENTS_PARSER = Parser()
    versioned = False  # whether its records have versions

    def arguments(self, schema: type[Schema] | Schema, **options: Any) -> Any:
        """Have the view take what `schema` loads, of which one instance serves all requests."""
        return super().arguments(resolve_schema_instance(schema), **options)

    def response(self, status_code: int | str | HTTPStatus, schema: Any = None, **options: Any) -> Any:
        """Have the view answer with what `schema` dumps."""
        if schema is not None and not isinstance(schema, str | dict):
            schema = copy(resolve_schema_instance(schema))
            self.versioned = self.versioned or is_versioned(schema)
            schema.dump = dump_of(copy(schema))
        return super().response(status_code, schema, **options)

    @staticmethod
    def _prepare_response_content(data: Any) -> Any:
        """Tell the app's JSON provider that a schema has dumped `data`."""
        return Dumped(data) if isinstance(current_app.json, Provider) else data


class Api(flask_smorest.Api):
    """The JSON API and its OpenAPI document; its error handler is replaced by that of errors.py."""

    ERROR_SCHEMA = ProblemSchema

    def init_app(self, app: Flask, *, spec_kwargs: dict[str, Any] | None = None) -> None:
        """Serve the document of `app`."""
        super().init_app(app, spec_kwargs={"marshmallow_plugin": Plugin(), **(spec_kwargs or {})})
        # Of flask-smorest's own pages, which have numbers.
        self.spec.components.schemas.pop("PaginationMetadata", None)
        for response in self.spec.components.responses_lazy.values():
            if "content" in response:  # flask-smorest's document says that errors are plain JSON
                [content] = response["content"].values()
                response["content"] = {PROBLEM: content}

    def register_blueprint(self, blp: flask_smorest.Blueprint, **options: Any) -> None:
        """Mount and document `blp`."""
        self.ma_plugin.versioned = getattr(blp, "versioned", False)
        super().register_blueprint(blp, **options)
