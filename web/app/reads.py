"""Reads without a transaction: what a request asks of the database before it changes anything.

Each SELECT of a safe request (RFC 9110, section 9.2.1) stands alone, on an engine in AUTOCOMMIT mode: no
BEGIN and ROLLBACK go over the wire around it. So does, in any request, the plain SELECT of a model that has a
plan (light.py). Whatever else a session does, it does in a transaction, and from then on reads there too.
"""

import select
from collections.abc import Mapping, MutableSequence
from functools import cached_property
from typing import Any
from weakref import ReferenceType, ref

from flask import Flask, g, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine, Select, event
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import Session as PlainSession
from sqlalchemy.orm import SessionTransactionOrigin

from .inserts import insert_alone
from .light import Plan, connect, plan_of
from .rows import Rows

READS = "reads"  # among the engines of Flask-SQLAlchemy
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
RECORDS = SimpleResultMetaData(["record"])


class Session(FlaskSession):
    """A session that reads by the engine `READS` while its request has changed nothing."""

    transactional = False
    held: Any = None  # the driver's connection that plans are run on
    unseen: ReferenceType[Rows] | None = None  # the list that was read last, while nobody has looked at it

    @cached_property
    def engines(self) -> Mapping[str | None, Engine | Connection]:
        """The engines of the app that the session is of."""
        return self._db.engines

    def get_bind(
        self, mapper: Any = None, clause: Any = None, bind: Any = None, **options: Any
    ) -> Engine | Connection:
        """Return the engine for a statement."""
        self.release()  # for what is to be taken now
        engine = super().get_bind(mapper, clause, bind, **options)
        ours = bind is None and engine is self.engines[None]
        if ours and self.reads_alone(clause) and request.method in SAFE:
            return self.engines[READS]
        self.begin_changes()
        return engine

    def hold(self, engine: Engine | Connection) -> Any:
        """Return a driver's connection of `engine` (DBAPIError), the same one until it is released."""
        if not isinstance(engine, Engine):
            return engine.connection
        if self.held is None:
            self.held = connect(engine)
        return self.held

    def settle(self) -> None:
        """Make the records of the list that was read last, before anything can happen to them."""
        if self.unseen is not None:
            rows, self.unseen = self.unseen(), None
            if rows is not None:
                _ = rows.data

    def release(self) -> None:
        """Give the connection back that is held; nothing is to be read on it."""
        self.settle()
        if self.held is not None:
            held, self.held = self.held, None
            held.close()

    def expire_all(self) -> None:
        """Have each record read anew when it is used."""
        self.settle()
        super().expire_all()

    def expunge_all(self) -> None:
        """Forget the records."""
        self.settle()
        super().expunge_all()

    def close(self) -> None:
        """Forget everything."""
        self.release()
        super().close()

    def reset(self) -> None:
        """Forget everything; the session is used on."""
        self.release()
        super().reset()

    def invalidate(self) -> None:
        """Forget everything, the connection too."""
        if self.held is not None:
            self.held.invalidate()
        self.release()
        super().invalidate()

    def release_if_closed(self) -> None:
        """Give back a connection that the server has closed since it was taken; `check` has it replaced."""
        if self.held is not None and has_news(self.held.dbapi_connection):
            self.release()

    def begin_changes(self) -> None:
        """Keep in mind that the request may have changed something, also where it drops the session."""
        self.transactional = True
        if has_request_context():
            g.changing = True

    def scalars(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Return what `statement` yields, its rows' first columns."""
        found = None if any(options.values()) else self.find(statement, params)
        if found is None:
            return super().scalars(statement, params, **options)
        plan, rows = found
        made = iter(plan.records(self, rows))
        return IteratorResult(RECORDS, made, _source_supports_scalars=True).scalars()

    def records(self, statement: Any, params: Any = None) -> MutableSequence[Any]:
        """Return a list of what `scalars` yields, which may be rows until it is looked at."""
        found = self.find(statement, params)
        if found is None:
            return list(super().scalars(statement, params))
        plan, rows = found
        known = self.identity_map.keys()
        if any(key[0] is plan.mapper.class_ for key in known):
            return plan.records(self, rows)  # some may be there already, and changed later
        unseen = Rows.of(plan, self, rows)
        self.unseen = ref(unseen)
        return unseen

    def scalar(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Return the first that `statement` yields, None where there is nothing."""
        found = None if any(options.values()) else self.find(statement, params)
        if found is None:
            return super().scalar(statement, params, **options)
        plan, rows = found
        return plan.records(self, rows)[0] if rows else None

    def find(self, statement: Any, params: Any) -> tuple[Plan, list[Any]] | None:
        """Return the plan and the rows of a SELECT that has a plan; None where the ORM is to run it."""
        self.settle()
        if not self.reads_alone(statement) or self.in_transaction() or not self._is_clean():
            return None
        engine = self.engines[READS]
        plan = None if is_watched(self, engine) else plan_of(statement, engine)
        if plan is None:
            return None
        values = plan.values(params or {})
        if self.in_transaction():
            return None  # one of the values was asked of the database, on a connection that is held now
        try:
            rows = plan.run(engine, self.hold(engine), values)
        except DBAPIError as error:
            self.release()
            if not error.connection_invalidated:
                raise
            return None
        return plan, rows

    def commit(self) -> None:
        """Store what is to be stored: one new record, and nothing else, by a statement that stands alone."""
        stored = False
        try:
            if len(self._new) == 1 and self.stands_alone() and not is_held(self):
                engine = self.engines[READS]
                if isinstance(engine, Engine) and not is_watched(self, engine):
                    self.begin_changes()
                    self.release_if_closed()
                    stored = insert_alone(self, engine, self.hold)
        finally:
            self.release()
        begun = self.get_transaction()
        if stored and begun is not None and is_done(self):
            begun.close()
        else:
            super().commit()

    def rollback(self) -> None:
        """Forget what was read and changed."""
        self.release()
        if not self.in_transaction():
            self.expire_all()
        super().rollback()

    def reads_alone(self, clause: Any) -> bool:
        """Tell whether `clause` may be run outside a transaction."""
        return self.stands_alone() and isinstance(clause, Select) and clause._for_update_arg is None

    def stands_alone(self) -> bool:
        """Tell whether the session has changed nothing, and nobody has begun a transaction."""
        if self.transactional or not has_request_context() or self.dispatch.after_begin:
            return False
        begun = self.get_transaction()
        by_itself = begun is None or begun.origin is SessionTransactionOrigin.AUTOBEGIN
        return by_itself and not self.in_nested_transaction()


def records(session: PlainSession, statement: Any, params: Any) -> MutableSequence[Any]:
    """Return a list of what `session.scalars` yields, as the session of this app does best."""
    if isinstance(session, Session):
        return session.records(statement, params)
    return list(session.scalars(statement, params))


def is_watched(session: Session, engine: Engine | Connection) -> bool:
    """Tell whether somebody wants to see each statement, or has it run otherwise."""
    events = session.dispatch.do_orm_execute or session.dispatch.loaded_as_persistent
    main = session.engines[None]
    options = main.engine._execution_options
    return bool(
        events or options or engine._has_events or main._has_events or engine.engine._should_log_info()
    )


def is_held(session: PlainSession) -> bool:
    """Tell whether the session holds a connection; another of that pool may be what others wait for."""
    begun: Any = session.get_transaction()
    return begun is not None and bool(begun._connections)


def is_done(session: PlainSession) -> bool:
    """Tell whether a commit would do nothing: a default of a record may have changed something beside."""
    wanted = session.expire_on_commit or session.dispatch.after_commit
    return session._is_clean() and not is_held(session) and not wanted


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Have the connections of `app` looked at as they are taken from their pools."""
    with app.app_context():
        for engine in db.engines.values():
            event.listen(engine, "checkout", check)


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
    return lost and request.method in SAFE and "changing" not in g
