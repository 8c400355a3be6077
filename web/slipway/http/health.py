from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from ..db.connections import renew_connections
from ..db.models import db
from ..migrations.state import NotPreparedError, SchemaState, schema_state, takes_writes

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def live() -> ResponseReturnValue:
    """Tell that the process serves, without touching the database."""
    return {"status": "ok"}


@pages.get("/readyz")
def ready() -> ResponseReturnValue:
    """Tell whether the database answers, takes writes and has at least the schema that this code needs."""
    connection = db.session.connection()
    if not takes_writes(connection):
        renew_connections(db)  # the next may lead to another server
        abort(503, "The database takes no writes.")
    try:
        behind = schema_state(connection) is SchemaState.BEHIND
    except NotPreparedError:
        behind = True
    if behind:
        abort(503, "The database has yet to be migrated.")
    return {"status": "ok"}
