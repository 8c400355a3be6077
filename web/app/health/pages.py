from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from ..extensions import db
from ..standing import NotPreparedError, Schema, schema_state

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def live() -> ResponseReturnValue:
    """Tell that the process serves, without touching the database."""
    return {"status": "ok"}


@pages.get("/readyz")
def ready() -> ResponseReturnValue:
    """Tell whether the database answers and its schema is at least what this code needs."""
    try:
        behind = schema_state(db.session.connection()) is Schema.BEHIND
    except NotPreparedError:
        behind = True
    if behind:
        abort(503, "The database has yet to be migrated.")
    return {"status": "ok"}
