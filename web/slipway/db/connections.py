"""Connections of the app's pool: those that have broken are replaced, and a read that met one runs again."""

import select
from typing import Any

from flask import Flask, g, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, section 9.2.1


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Have the connections of `app` looked at as they are taken from their pools."""
    with app.app_context():
        for engine in db.engines.values():
            event.listen(engine, "checkout", check)
    event.listen(db.session, "after_begin", note_transaction)


def note_transaction(*_: Any) -> None:
    """Keep in mind that the request may have changed something, also where it drops the session."""
    if has_request_context():
        g.in_transaction = True


def check(connection: Any, _record: Any, _proxy: Any) -> None:
    """Have the pool replace a connection that the server has closed (DisconnectionError).

    Of an idle one nothing is to be read, unless it was closed; that is seen without asking the server.
    """
    if has_news(connection) and not answers(connection):
        raise DisconnectionError


def has_news(connection: Any) -> bool:
    """Tell whether there is something to be read on `connection`, if only its end."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def answers(connection: Any) -> bool:
    """Tell whether the server answers on `connection`, on which it has sent something unasked."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.rollback()
    except connection.Error:
        return False
    return True


def renew_connections(db: SQLAlchemy) -> None:
    """Have connections be made anew; those that somebody uses are closed as they are given back."""
    db.session.remove()
    for engine in db.engines.values():
        if isinstance(engine, Engine):
            engine.dispose()


def may_retry(error: Exception) -> bool:
    """Tell whether a request that failed by `error` can succeed if it is run again, and does no harm so."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost and request.method in SAFE and "in_transaction" not in g
