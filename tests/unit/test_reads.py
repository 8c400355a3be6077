"""By which engine a session asks, and what comes of a connection that has broken."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Integer, bindparam, event, func, insert, select, text, update
from werkzeug.exceptions import NotFound

from app.extensions import db
from app.light import PLANS, make_plan
from app.notes.models import Note
from app.reads import READS
from tests.support import PATIENCE
from tests.unit.conftest import admin

KILL = select(func.pg_terminate_backend(func.pg_backend_pid()))


@pytest.mark.parametrize(
    ("method", "statement", "engine"),
    [
        ("GET", select(Note), READS),
        ("HEAD", select(Note), READS),
        ("GET", select(Note).with_for_update(), None),
        ("GET", insert(Note), None),
        ("GET", update(Note), None),
        ("GET", text("SELECT 1"), None),
        ("POST", select(Note), None),
        ("DELETE", select(Note), None),
    ],
)
def test_only_what_a_safe_request_selects_stands_alone(
    migrated_app: Flask, method: str, statement: Any, engine: str | None
) -> None:
    with migrated_app.test_request_context(method=method):
        assert db.session().get_bind(clause=statement) is db.engines[engine]


def test_commands_read_in_a_transaction(migrated_app: Flask) -> None:
    with migrated_app.app_context():
        assert db.session().get_bind(clause=select(Note)) is db.engine


def test_what_stands_alone_has_no_transaction(migrated_app: Flask) -> None:
    with migrated_app.app_context(), db.engines[READS].connect() as connection:
        assert connection.connection.autocommit


def test_what_was_written_is_read(migrated_app: Flask) -> None:
    with migrated_app.test_request_context(method="GET"):
        db.session.add(Note(title="of this request"))
        db.session.flush()
        assert db.session.scalars(select(Note.title)).all() == ["of this request"]


def test_database_of_a_bind_key_is_asked(own_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Note.__table__.metadata.info, "bind_key", READS)
    with own_app.test_request_context(method="POST"):
        assert db.session().get_bind(Note.__mapper__, clause=select(Note)) is db.engines[READS]
        assert make_plan(select(Note), db.engine) is None


def test_savepoint_of_a_read_is_in_a_transaction(own_app: Flask) -> None:
    with own_app.test_request_context(method="GET"), db.session.begin_nested():
        assert db.session.scalar(select(func.count(Note.id))) == 0


def test_transaction_that_was_begun_is_kept(own_app: Flask) -> None:
    with own_app.test_request_context(method="GET"), db.session.begin():
        db.session.scalar(select(func.pg_advisory_xact_lock(1)))
        locks = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert db.session.scalar(locks) == 1


def test_rollback_forgets_what_was_read(own_app: Flask) -> None:
    one = select(Note).where(Note.title.is_not(None))
    with own_app.test_request_context(method="GET"):
        with db.engine.begin() as connection:
            connection.execute(insert(Note).values(title="one", version=1))
        for _ in range(2):
            db.session.remove()
            [note] = db.session.scalars(one).all()
        with db.engine.begin() as connection:
            connection.execute(update(Note).values(title="two"))
        db.session.rollback()
        assert note.title == "two"


def test_pool_serves_views_that_read_and_then_store(own_app: Flask) -> None:
    size = db.engines[READS].pool.size()  # type: ignore[attr-defined] # a QueuePool
    together = Barrier(size)

    def read_and_store() -> str:
        db.session.scalar(select(func.count(Note.id)))
        together.wait(PATIENCE)
        db.session.add(Note(title="a"))
        db.session.commit()
        return ""

    own_app.add_url_rule("/both", view_func=read_and_store)
    with ThreadPoolExecutor(size) as threads:
        answers = threads.map(lambda _: own_app.test_client().get("/both").status_code, range(size))
        assert {*answers} == {200}


def test_pool_serves_views_that_read_by_a_plan_and_then_by_the_orm(own_app: Flask) -> None:
    size = db.engines[READS].pool.size()  # type: ignore[attr-defined] # a QueuePool
    together = Barrier(size)
    by_id = select(Note).where(Note.id == 1)
    PLANS[by_id] = True

    def read_and_count() -> str:
        db.session.scalar(by_id)
        together.wait(PATIENCE)
        return str(db.session.scalar(select(func.count(Note.id))))

    own_app.add_url_rule("/both", view_func=read_and_count)
    with ThreadPoolExecutor(size) as threads:
        answers = threads.map(lambda _: own_app.test_client().get("/both").status_code, range(size))
        assert {*answers} == {200}


def test_request_takes_one_connection_for_what_it_reads_by_plans(own_app: Flask) -> None:
    by_id = select(Note).where(Note.id == 1)
    PLANS[by_id] = True
    taken: list[Any] = []
    with own_app.test_request_context():
        db.session.remove()
        event.listen(db.engines[READS].pool, "checkout", lambda *of: taken.append(of))
        for _ in range(3):
            assert db.session.scalar(by_id) is None
        assert len(taken) == 1
        db.session.remove()
        assert db.engines[READS].pool.checkedout() == 0  # type: ignore[attr-defined] # a QueuePool


def test_value_of_a_plan_may_be_asked_of_the_database(own_app: Flask) -> None:
    by_id = select(Note).where(Note.id == 1)
    newest = bindparam(None, callable_=lambda: db.session.scalar(select(func.max(Note.id))), type_=Integer)
    by_newest = select(Note).where(Note.id == newest)
    PLANS.update(dict.fromkeys((by_id, by_newest), True))
    with db.engine.begin() as connection:
        connection.execute(insert(Note).values(title="one"))
    db.session.remove()
    with own_app.test_request_context():
        db.session.scalar(by_id)
        assert db.session.scalar(by_newest).title == "one"
        assert db.engines[READS].pool.checkedout() == 1  # type: ignore[attr-defined] # a QueuePool


def test_record_is_stored_where_the_connection_was_closed_after_a_read(own_app: Flask, postgres: str) -> None:
    by_id = select(Note).where(Note.id == 1)
    PLANS[by_id] = True
    db.session.remove()
    with own_app.test_request_context(method="POST"):
        assert db.session.scalar(by_id) is None
        close_connections(postgres)
        db.session.add(Note(title="a"))
        db.session.commit()
        assert db.session.scalar(select(func.count(Note.id))) == 1


@pytest.mark.parametrize("way", ["reset", "invalidate", "close", "rollback"])
def test_connection_is_given_back(own_app: Flask, way: str) -> None:
    by_id = select(Note).where(Note.id == 1)
    PLANS[by_id] = True
    db.session.remove()
    with own_app.test_request_context():
        db.session.scalar(by_id)
        getattr(db.session(), way)()
        assert db.engines[READS].pool.checkedout() == 0  # type: ignore[attr-defined] # a QueuePool


def close_connections(postgres: str) -> None:
    """Have the server close the connections to the database of a test."""
    with admin(postgres) as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = 'scratch'")
        )


@pytest.fixture
def own_client(own_app: Flask) -> FlaskClient:
    """A client whose requests have opened a connection of each pool."""
    client = own_app.test_client()
    assert client.get("/api/notes").status_code == 200
    assert client.post("/api/notes", json={"title": "a"}).status_code == 201
    return client


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 201)])
def test_connection_that_was_closed_meanwhile_is_replaced(
    own_client: FlaskClient, postgres: str, method: str, status: int
) -> None:
    close_connections(postgres)
    assert own_client.open("/api/notes", method=method, json={"title": "b"}).status_code == status


@pytest.fixture
def runs(own_app: Flask) -> list[str]:
    """What the views of `breaking` note, each time that they run; their first loses its connection."""
    runs: list[str] = []

    def breaking(write: bool = False) -> dict[str, str]:
        runs.append("run")
        if write:
            db.session.add(Note(title="a"))
            db.session.flush()
        if len(runs) == 1:
            db.session.execute(KILL)
        return {"ran": "well"}

    def storing() -> dict[str, str]:
        db.session.add(Note(title="a"))
        db.session.commit()
        return breaking()

    def missing() -> dict[str, str]:
        breaking()
        raise NotFound

    own_app.add_url_rule("/breaking", view_func=breaking, methods=["GET", "POST"])
    own_app.add_url_rule("/missing", view_func=missing)
    own_app.add_url_rule("/storing", view_func=storing)
    own_app.add_url_rule("/writing", "writing", lambda: breaking(write=True))
    return runs


@pytest.mark.parametrize(
    ("method", "path", "status", "times"),
    [
        ("GET", "/breaking", 200, 2),
        ("GET", "/missing", 404, 2),
        ("POST", "/breaking", 503, 1),
        ("GET", "/writing", 503, 1),
        ("GET", "/storing", 503, 1),
    ],
)
def test_request_whose_connection_breaks_runs_again_where_that_does_no_harm(
    own_app: Flask, runs: list[str], method: str, path: str, status: int, times: int
) -> None:
    own_app.config["WTF_CSRF_ENABLED"] = False
    assert own_app.test_client().open(path, method=method).status_code == status
    assert len(runs) == times


def test_request_whose_connection_breaks_twice_is_a_503(
    own_app: Flask, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own_app.add_url_rule("/always", "always", lambda: str(db.session.scalar(KILL)))
    assert own_app.test_client().get("/always").status_code == 503
