"""What the OpenAPI document tells beyond what flask-smorest finds out: https://spec.openapis.org/oas/v3.1.1.html

Of a schema with a model, what is sent and what is answered are schemas of their own: a client sends no id,
and an answer has every field.
"""

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import EXCLUDE, RAISE, Schema, fields, missing

from .serializer import Page

Operation = dict[str, Any]

# What is said of an operation whose view has a line of description, and no more.
DESCRIPTIONS = {
    "list": "A page of the list; `next` is the path of the page after it, null on the last.",
    "get": "With If-None-Match, 304 if the record is still as it was then.",
    "post": "The answer has the record as it is stored, and Location where it is.",
    "put": "With If-Match, 412 if the record has been changed since then.",
    "patch": "What is left out stays as it is. With If-Match, 412 if the record has been changed since then.",
    "delete": "With If-Match, 412 if the record has been changed since then; 409 if others refer to it.",
}
CHANGES = ("put", "patch", "delete")
WRITES = ("post", *CHANGES)


def header(description: str) -> dict[str, Any]:
    """Return a header that each answer has."""
    return {"description": description, "required": True, "schema": {"type": "string"}}


def condition(name: str, description: str) -> dict[str, Any]:
    """Return a header that a request may have."""
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


ETAG = header("Names the version of the record, for If-Match and If-None-Match.")
LOCATION = header("The path of the record.")
IF_MATCH = condition("If-Match", "The ETag of the record as it was read.")
IF_NONE_MATCH = condition("If-None-Match", "The ETag of the record that is known.")


class Plugin(MarshmallowPlugin):
    """marshmallow's plugin for apispec, which completes each operation first."""

    versioned = False  # whether the records of the blueprint that is documented have versions

    def __init__(self) -> None:
        super().__init__(schema_name_resolver=name_of)
        self.shapes = Shapes()

    def operation_helper(
        self, path: str | None = None, operations: dict[str, Operation] | None = None, **options: Any
    ) -> None:
        operations, name = operations or {}, options["rule"].endpoint.replace(".", "_")
        for method, operation in operations.items():
            operation.setdefault("operationId", name if len(operations) == 1 else f"{name}_{method}")
            self.complete(method, operation, "{" in (path or ""))
        super().operation_helper(path, operations, **options)

    def complete(self, method: str, operation: Operation, of_one: bool) -> None:
        """Add what each operation of its kind does; `of_one` record, by its id."""
        responses = operation.setdefault("responses", {})
        responses.setdefault("429", "TOO_MANY_REQUESTS")
        if of_one:
            responses.setdefault("404", "NOT_FOUND")
        if self.versioned:
            self.complete_versioned(method, operation, of_one)
        for media in contents(operation.get("requestBody")):
            media["schema"] = self.shapes.sent(media["schema"])
        for response in responses.values():
            for media in contents(response):
                media["schema"] = self.shapes.answered(media["schema"])
        if not operation.get("description"):
            operation["description"] = f"{operation.get('summary', method)}."

    def complete_versioned(self, method: str, operation: Operation, of_one: bool) -> None:
        """Add what an operation does with records that have versions."""
        responses, parameters = operation["responses"], operation.setdefault("parameters", [])
        lists = any(isinstance(media["schema"], Page) for it in responses.values() for media in contents(it))
        operation.setdefault("description", DESCRIPTIONS.get("list" if lists else method))
        shown = [
            status
            for status, response in responses.items()
            if any(is_versioned(it["schema"]) and not it["schema"].many for it in contents(response))
        ]
        for status in shown:
            headers = {"ETag": ETAG} | ({"Location": LOCATION} if str(status) == "201" else {})
            responses[status]["headers"] = headers | responses[status].get("headers", {})
        if method in WRITES:
            responses.setdefault("409", "CONFLICT")
        if method in CHANGES and of_one:
            parameters.append(IF_MATCH)
            responses.setdefault("412", "PRECONDITION_FAILED")
        if method == "get" and shown:
            parameters.append(IF_NONE_MATCH)
            responses.setdefault("304", "NOT_MODIFIED")


def contents(body: Any) -> Iterator[dict[str, Any]]:
    """Yield the contents of a body that are described by a schema of marshmallow's."""
    for media in body.get("content", {}).values() if isinstance(body, Mapping) else ():
        if isinstance(media.get("schema"), Schema):
            yield media


def model_of(schema: Schema) -> Any:
    """Return the model of a schema, None if it has none."""
    return getattr(schema.opts, "model", None)


def is_versioned(schema: Schema) -> bool:
    """Tell whether `schema` is of records that have a version."""
    return hasattr(model_of(schema), "version")


def name_of(schema: type[Schema] | Schema) -> str:
    """Return the name of a schema in the document."""
    return (schema if isinstance(schema, type) else type(schema)).__name__.removesuffix("Schema")


class Sent(Schema):
    """What a client sends: nothing but what is described."""

    class Meta:
        unknown = RAISE


class Answered(Schema):
    """What is answered; a newer release may answer more."""

    class Meta:
        unknown = EXCLUDE


class Shapes:
    """The schemas that the document describes, of those that the views take and answer with."""

    def __init__(self) -> None:
        self.known: dict[tuple[Any, ...], type[Schema]] = {}

    def sent(self, schema: Schema) -> Schema:
        """Return `schema` as what is sent: NoteSchema as NoteCreate, or NoteUpdate if it is partial."""
        if model_of(schema) is None:
            return schema
        name = name_of(schema) + ("Update" if schema.partial else "Create")
        return self.derived(Sent, name, schema, schema.load_fields)(partial=schema.partial, many=schema.many)

    def answered(self, schema: Schema) -> Schema:
        """Return `schema` as an answer, in which a record has all its fields."""
        of_model = model_of(schema) is not None
        members = {name: self.field(field, of_model) for name, field in schema.dump_fields.items()}
        return self.derived(Answered, name_of(schema), schema, members)(many=schema.many)

    def derived(
        self, base: type[Schema], name: str, schema: Schema, members: Mapping[str, fields.Field[Any]]
    ) -> type[Schema]:
        """Return the one schema `name` that describes the fields `members` of `schema`."""
        key = (base, name, type(schema), *members)
        if key not in self.known:
            self.known[key] = base.from_dict(dict(members), name=name)
        return self.known[key]

    def field(self, field: fields.Field[Any], of_model: bool) -> fields.Field[Any]:
        """Return a field as it is answered."""
        field = copy(field)
        if of_model:
            field.required, field.dump_only, field.load_default = True, False, missing
        if isinstance(field, fields.List):
            field.inner = self.field(field.inner, of_model=False)
        if isinstance(field, fields.Dict) and field.value_field is not None:
            field.value_field = self.field(field.value_field, of_model=False)
        if type(field) is fields.Nested:
            inner = field.schema
            shown: dict[str, Any] = {
                "metadata": field.metadata,
                "required": field.required,
                "allow_none": field.allow_none,
            }
            # Once it is asked for, as a schema may be nested in itself.
            field = fields.Nested(lambda: self.answered(inner), many=field.many, **shown)
        return field
