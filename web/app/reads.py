"""Reads without a transaction: what a safe request (RFC 9110, section 9.2.1) asks of the database.

Each SELECT of such a request stands alone, on an engine in AUTOCOMMIT mode: no BEGIN and ROLLBACK go over
the wire around it. Whatever else a session does, it does in a transaction, and from then on reads there too.
"""

import select
from typing import Any

from flask import Flask, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine, Select, event
from sqlalchemy.exc import DBAPIError, DisconnectionError

READS = "reads"  # among the engines of Flask-SQLAlchemy
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Session(FlaskSession):
    """A session that reads by the engine `READS` while its request is safe and has changed nothing."""

    transactional = False

    def get_bind(
        self, mapper: Any = None, clause: Any = None, bind: Any = None, **options: Any
    ) -> Engine | Connection:
        """Return the engine for a statement."""
        if bind is None and self.reads_alone(clause):
            return self._db.engines[READS]
        self.transactional = True
        return super().get_bind(mapper, clause, bind, **options)

    def reads_alone(self, clause: Any) -> bool:
        """Tell whether `clause` is to be run outside a transaction."""
        return (
            not self.transactional
            and isinstance(clause, Select)
            and clause._for_update_arg is None
            and has_request_context()
            and request.method in SAFE
        )


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Have the connections of `app` looked at as they are taken from their pools."""
    with app.app_context():
        for engine in db.engines.values():
            event.listen(engine, "checkout", check)


def check(connection: Any, _record: Any, _proxy: Any) -> None:
    """Have the pool replace a connection that the server has closed (DisconnectionError).

    Of an idle one nothing is to be read, unless it was closed; that is seen without asking the server.
    """
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if poll.poll(0) and not answers(connection):
        raise DisconnectionError


def answers(connection: Any) -> bool:
    """Tell whether the server answers on `connection`, on which it has sent something unasked."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.rollback()
    except connection.Error:
        return False
    return True


def may_retry(db: SQLAlchemy, error: Exception) -> bool:
    """Tell whether a request that failed by `error` can succeed if it is run again, and does no harm so."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    session: Any = db.session()
    return lost and request.method in SAFE and not session.transactional
