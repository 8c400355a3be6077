"""HTML forms, in the shape that the schemas load: there are no form classes.

A view that takes a form is `sent_from` the view that shows it, which is given `form_state`.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, ParamSpec

from flask import current_app, g, make_response, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields, missing
from sqlalchemy import Select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import Conflict

from ..api.fields import from_text, to_text
from ..db.integrity_errors import Errors, conflict, refused_values
from ..http.etags import ChangedError

CHOICES_MAX = 100
NOT_FIELDS = ("csrf_token", "version")
REFUSALS = (ValidationError, DataError, IntegrityError, StaleDataError, Conflict)
P = ParamSpec("P")


def load_form(schema: Schema, record: object = None) -> dict[str, Any]:
    """Return what the form that was sent says, as `schema` loads it (ValidationError).

    Of a form of `record`, only what was edited: what it shows may be less than what is stored.
    """
    unedited = unedited_fields(schema, record) if record is not None else set()
    data = {name: value for name, value in form_data(schema).items() if name not in unedited}
    loaded: dict[str, Any] = schema.load(data, partial=unedited)
    return loaded


def unedited_fields(schema: Schema, record: object) -> set[str]:
    """Return the fields that the form which was sent has as that of `record` shows them."""
    shown = stored_values(schema, record)
    return {
        name
        for name, field in schema.load_fields.items()
        if sent_as(field, request.form.get(name, "")) == sent_as(field, shown[name])
    }


def sent_as(field: fields.Field[Any], text: str) -> str:
    """Return `text` in a spelling that is the same for all in which a browser may send it."""
    if is_box(field):
        return str(text == "true")
    return repr(from_text(field, one_line_end(text)))


def is_box(field: fields.Field[Any]) -> bool:
    """Tell whether a form has a box to check for a field."""
    return isinstance(field, fields.Boolean) and not field.allow_none


def one_line_end(text: str) -> str:
    """Return `text` with line ends as everywhere else (browsers send CRLF)."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def load_query(schema: type[Schema] | Schema) -> dict[str, Any]:
    """Return what the query of a page says, as `schema` loads it (ValidationError).

    One instance of a class serves all requests. A field of a form that was left empty says nothing.
    """
    given = {name: values for name, values in request.args.lists() if values != [""]}
    loaded: dict[str, Any] = (instance_of(schema) if isinstance(schema, type) else schema).load(given)
    return loaded


@lru_cache
def instance_of(schema: type[Schema]) -> Schema:
    """Return an instance of `schema`."""
    return schema()


def form_data(schema: Schema) -> dict[str, Any]:
    """Return the form that was sent, in the shape that `schema` loads.

    A box that is not checked is not sent. What is left empty is null; the default where that is refused.
    """
    given = {name: value for name, value in request.form.items() if name not in NOT_FIELDS}
    data = {
        name: field_data(schema, name, value) if name in schema.load_fields else value
        for name, value in given.items()
    }
    unchecked = {name: False for name, field in schema.load_fields.items() if is_box(field)}
    return unchecked | {name: value for name, value in data.items() if value is not missing}


def field_data(schema: Schema, name: str, text: str) -> Any:
    """Return what a form says of a field."""
    field = schema.load_fields[name]
    if text == "" and field.allow_none:
        return None
    if text == "" and not isinstance(field, fields.String):
        text = default(schema, name)
    if text == "" and (field.required or not isinstance(field, fields.String)):
        return missing
    return from_text(field, one_line_end(text))


def form_state(schema: Schema, record: object = None) -> dict[str, Any]:
    """Return what a form shows: `errors`, and `values`: as sent, else those of `record`, or the defaults.

    `version` is that of the record which the values were made from.
    """
    values, errors = form_values(schema, record), g.get("form_errors", {})
    return {"values": values, "errors": errors, "version": form_version(record)}


def form_version(record: object) -> str:
    """Return the version that a form is sent back with: another than before once a conflict has been told."""
    conflict_told = isinstance(g.get("form_refusal"), ChangedError | StaleDataError)
    sent = request.form.get("version") if request.method == "POST" and not conflict_told else None
    return sent or str(getattr(record, "version", ""))


def form_values(schema: Schema, record: object) -> dict[str, str]:
    """Return the text in each field of a form."""
    if request.method == "POST":
        return {name: request.form.get(name, "") for name in schema.load_fields}
    if record is None:
        return {
            name: shown_default(field, default(schema, name)) for name, field in schema.load_fields.items()
        }
    return stored_values(schema, record)


def stored_values(schema: Schema, record: object) -> dict[str, str]:
    """Return the text that a form shows of each value of `record`."""
    dumped = schema.dump(record)
    return {name: to_text(field, dumped[name]) for name, field in schema.load_fields.items()}


def shown_default(field: fields.Field[Any], text: str) -> str:
    """Return the default `text` of a column as a form shows such a value."""
    if text == "":
        return ""
    try:
        value = {field.attribute or "it": field.deserialize(from_text(field, text))}
        return to_text(field, field.serialize("it", value))
    except ValidationError:
        return text


def default(schema: Schema, name: str) -> str:
    """Return the default that the database has for a field, where that is a plain value."""
    column = schema.opts.model.__table__.columns.get(name)
    text = getattr(getattr(column, "server_default", None), "arg", "")
    return text if isinstance(text, str) else ""


def sent_from(
    page: Callable[P, ResponseReturnValue],
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Have a view take the form of the view `page`; what is wrong is shown there, and the input kept."""

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            try:
                return view(*args, **kwargs)
            except REFUSALS as error:
                g.form_refusal = error
                status, g.form_errors = told(error)
            return make_response(page(*args, **kwargs), status)

        return guarded

    return decorate


def told(error: Exception) -> tuple[int, Errors]:
    """Return the status of a form that is refused by one of REFUSALS, and what is said of its fields."""
    if isinstance(error, ValidationError):
        return 422, error.normalized_messages()
    if isinstance(error, Conflict):
        found = getattr(error, "data", {}).get("messages", {}).get("stored", {})
        return 409, form_errors(str(error.description), found)
    current_app.extensions["sqlalchemy"].session.rollback()
    if isinstance(error, DataError):
        return 422, refused_values(error)
    return 409, form_errors(*conflict(error))  # type: ignore[arg-type] # the two that are left


def choices(statement: Select[Any]) -> list[tuple[int, str]] | None:
    """Return id and text of each record of `statement`, newest first; None where they are too many."""
    model = statement.column_descriptions[0]["entity"]
    newest = statement.order_by(model.id.desc()).limit(CHOICES_MAX + 1)
    records = current_app.extensions["sqlalchemy"].session.scalars(newest).all()
    return (
        [(record.id, str(record).strip() or str(record.id)) for record in records]
        if len(records) <= CHOICES_MAX
        else None
    )


def form_errors(detail: str, errors: Errors) -> Errors:
    """Return what a form says of a conflict."""
    return errors or {"_schema": [detail]}
