"""Conditional requests (RFC 9110, section 13), by the version of a record and the shape of the API."""

import hashlib
from typing import Any, Protocol

from flask import Flask, Response, abort, current_app, request
from marshmallow import ValidationError


class Versioned(Protocol):
    """A record with a version."""

    version: int


def init_app(app: Flask) -> None:
    """Answer 304 where the client has what it asks for already."""
    app.after_request(answer_not_modified)


def keep_shape(app: Flask, document: dict[str, Any]) -> None:
    """Have ETags tell apart the records of APIs whose OpenAPI documents differ, as those of two releases."""
    text = app.json.dumps(document, sort_keys=True)
    app.extensions["api_shape"] = hashlib.sha256(text.encode()).hexdigest()[:8]


def answer_not_modified(response: Response) -> Response:
    """Compare the ETag of `response`, if it has one, with the request's If-None-Match."""
    if "HTTP_IF_NONE_MATCH" in request.environ and "ETag" in response.headers and response.status_code == 200:
        response.make_conditional(request.environ)
    return response


def etag(record: Versioned) -> dict[str, str]:
    """Return the header that names `record` as it is shown: a weak tag, for nginx's gzip makes it so."""
    return {"ETag": f'W/"{record.version}-{current_app.extensions["api_shape"]}"'}


def check_match(record: Versioned) -> None:
    """Answer 412 if the request's If-Match names another version of `record`, of whatever shape."""
    tags = request.if_match
    # werkzeug has None for an empty tag.
    versions = {str(tag).partition("-")[0] for tag in tags.as_set(include_weak=True)}
    if tags and not tags.star_tag and str(record.version) not in versions:
        abort(412, "The record has been changed since; get it again.")


class ChangedError(ValidationError):
    """A form that was sent was made from another version of its record."""


def check_version(record: Versioned) -> None:
    """Raise ChangedError if the form that was sent was made from another version of `record`."""
    if request.form.get("version", str(record.version)) != str(record.version):
        raise ChangedError("Changed by somebody else meanwhile; sending this again overrides that.")
