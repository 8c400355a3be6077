"""Every error in one form: a problem document (RFC 9457) under /api/, a page elsewhere."""

from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, json, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from marshmallow import ValidationError
from sqlalchemy.exc import DataError, IntegrityError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import (
    BadHost,
    Conflict,
    HTTPException,
    PreconditionFailed,
    SecurityError,
    ServiceUnavailable,
    UnprocessableEntity,
)

from ..api.blueprint import PROBLEM, Blueprint
from ..db.connections import may_retry, renew_connections
from ..db.integrity_errors import conflict, refused_values
from ..db.models import db
from .request_log import request_id

# https://www.postgresql.org/docs/current/errcodes-appendix.html
READ_ONLY, PROGRAM_LIMIT = "25006", "54"
RETRY_AFTER = 2  # seconds


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, handle)
    app.register_error_handler(CSRFError, handle_forged)
    app.register_error_handler(ValidationError, handle_invalid)
    app.register_error_handler(StaleDataError, handle_conflict)
    app.register_error_handler(IntegrityError, handle_conflict)
    app.register_error_handler(DataError, handle_refused)
    app.register_error_handler(OperationalError, handle_unavailable)
    app.register_error_handler(InternalError, handle_internal)
    app.register_error_handler(PoolTimeoutError, handle_unavailable)


def handle(error: HTTPException) -> Response:
    """Answer with `error`: its status, its headers, and a body in the form that the path asks for."""
    answer = error.get_response()
    answer.headers.remove("Content-Type")
    if error.code == 503:
        answer.headers["Retry-After"] = str(RETRY_AFTER)
    body = problem(error)
    if is_of_api(error):
        return Response(json.dumps(body), error.code, answer.headers, PROBLEM)
    return Response(render_template("error.html", problem=body), error.code, answer.headers, "text/html")


def is_of_api(error: HTTPException) -> bool:
    """Tell whether `error` is answered as JSON."""
    in_api = request.path == "/api" or request.path.startswith("/api/")
    blueprint = current_app.blueprints.get(request.blueprint or "")
    # Where the Host header is not to be used, there are no URLs to make a page with.
    return in_api or isinstance(blueprint, Blueprint) or isinstance(error, BadHost | SecurityError)


def problem(error: HTTPException) -> dict[str, Any]:
    """Return the problem document of `error`."""
    status = HTTPStatus(error.code or 500)
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": error.description or status.description,
        "request_id": request_id(),
    }
    if status == 500 and current_app.config["DEVELOPMENT"]:
        document["detail"] = advice(getattr(error, "original_exception", None))
    data = getattr(error, "data", {})  # set by webargs: {"messages": {location: {field: [message]}}}
    if "messages" in data:
        if status == 422:
            document["detail"] = "Some fields are invalid."
        document["errors"] = {
            name: messages for fields in data["messages"].values() for name, messages in fields.items()
        }
    return document


def advice(error: BaseException | None) -> str:
    """Tell a developer what to do about `error`."""
    if isinstance(error, ProgrammingError):
        return "The database does not have what the models say: make migrate"
    return "The traceback is in the log: make logs S=web"


def handle_forged(error: CSRFError) -> Response:
    """Answer that a form is another site's, or of a session that is over."""
    advice = "This may be a page from before you signed in or out: go back, reload it, and send it again."
    error.description = f"{error.description} {advice}"
    return handle(error)


def handle_invalid(error: ValidationError) -> Response:
    """Answer with what a schema has found wrong."""
    invalid = UnprocessableEntity()
    invalid.data = {"messages": {"input": error.normalized_messages()}}  # type: ignore[attr-defined] # as webargs does
    return handle(invalid)


def run_again() -> ResponseReturnValue:
    """Answer with what the view makes of the request when it runs again."""
    try:
        return current_app.dispatch_request()
    except Exception as error:
        return current_app.handle_user_exception(error)


def handle_conflict(error: IntegrityError | StaleDataError) -> Response:
    """Answer that a constraint refused the change, or that somebody else made one at the same time."""
    db.session.rollback()
    detail, errors = conflict(error)
    stale = isinstance(error, StaleDataError) and request.if_match
    refusal: HTTPException = (PreconditionFailed if stale else Conflict)(detail)
    if errors:
        refusal.data = {"messages": {"stored": errors}}  # type: ignore[attr-defined] # as webargs does
    return handle(refusal)


def handle_refused(error: DataError) -> Response:
    """Answer that a value is none of its column's type, where no field of a schema has seen that."""
    db.session.rollback()
    return handle_invalid(ValidationError(refused_values(error)))


def handle_unavailable(error: Exception) -> ResponseReturnValue:
    """Answer that the database cannot be reached, or has no connection left, or no room for a value.

    Where the connection broke under a request that can be run again, it is, once.
    """
    if "retried" not in g and may_retry(error):
        g.retried = True
        db.session.remove()
        return run_again()
    if str(getattr(getattr(error, "orig", None), "pgcode", "")).startswith(PROGRAM_LIMIT):
        db.session.rollback()
        return handle(UnprocessableEntity("A value is larger than the database can store or index."))
    current_app.logger.error("database: %s", str(error).partition("\n")[0])
    return handle(ServiceUnavailable("The database does not answer; try again."))


def handle_internal(error: InternalError) -> ResponseReturnValue:
    """Answer likewise where a connection has led to a server that takes no writes, as a standby does.

    Others may have led there too, so each is made anew.
    """
    if getattr(error.orig, "pgcode", None) != READ_ONLY:
        raise error
    renew_connections(db)
    return handle_unavailable(error)
