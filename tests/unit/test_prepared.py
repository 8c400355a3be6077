"""A statement that comes often is prepared, and answered also where that cannot be."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from psycopg2 import Binary, IntegrityError
from sqlalchemy import text

from app.extensions import db
from app.prepared import COMES_OFTEN, PREPARED_MAX, Prepared
from app.reads import READS

LIKE = Prepared("SELECT title FROM notes WHERE id = %(key)s AND title LIKE 'a%%'", ["key"])
CREATE = "INSERT INTO notes (title) VALUES (%(title)s) RETURNING id"


@pytest.fixture
def connection(own_app: Flask) -> Iterator[Any]:
    """A driver's connection in AUTOCOMMIT mode."""
    with own_app.app_context():
        connection = db.engines[READS].raw_connection()
        yield connection
        connection.close()


def often(prepared: Prepared) -> Prepared:
    """Return `prepared` as one that has come often."""
    prepared.times = COMES_OFTEN
    return prepared


def run(prepared: Prepared, connection: Any, **values: Any) -> list[Any]:
    """Return the rows of a run."""
    cursor = connection.cursor()
    prepared.run(cursor, connection.info, values)
    rows: list[Any] = cursor.fetchall()
    return rows


def names(connection: Any) -> list[str]:
    """Return the names of what the server has prepared for a connection."""
    cursor = connection.cursor()
    cursor.execute("SELECT name FROM pg_prepared_statements")
    return [name for (name,) in cursor.fetchall()]


def test_statement_is_prepared_when_it_has_come_often(connection: Any) -> None:
    prepared = Prepared("SELECT 1", [])
    for _ in range(COMES_OFTEN):
        run(prepared, connection)
    assert not names(connection)
    assert run(prepared, connection) == [(1,)]
    assert len(names(connection)) == 1


def test_statement_that_is_prepared_yields_what_it_yields_otherwise(connection: Any) -> None:
    [(key,)] = run(often(Prepared(CREATE, ["title"])), connection, title="a 100 % sure")
    for times in (0, COMES_OFTEN):
        LIKE.times = times
        assert run(LIKE, connection, key=key) == [("a 100 % sure",)]


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("SELECT 10 * %(value)s", 1.5),
        ("SELECT 10 > %(value)s", Decimal("9.5")),
        ("SELECT '[1]'::jsonb ->> %(value)s", 0),
        ("SELECT date '2026-01-02' >= %(value)s", datetime(2026, 1, 2, 12, tzinfo=UTC)),
        ("SELECT 0.1::real = %(value)s", 0.1),
        ("SELECT 5 / %(value)s", 2),
        ("SELECT 'a'::varchar = %(value)s", "a"),
        ("SELECT true AND %(value)s", True),
        ("SELECT sha256(%(value)s)::text", Binary(b"a")),
        ("SELECT num_nulls(%(value)s)", None),
    ],
)
def test_value_means_the_same_to_a_statement_that_is_prepared(
    connection: Any, statement: str, value: Any
) -> None:
    prepared = Prepared(statement, ["value"])
    plainly = run(prepared, connection, value=value)
    assert run(often(prepared), connection, value=value) == plainly


def test_time_is_that_of_each_run(connection: Any) -> None:
    run(often(Prepared("SELECT timestamp 'now'", [])), connection)
    assert names(connection) == []


def test_same_name_is_the_same_statement_for_the_same_types() -> None:
    text = "SELECT %(key)s"
    variants = [
        Prepared(text, ["key"]).variant({"key": 1}),
        Prepared(text.replace("key", "other"), ["other"]).variant({"other": 2}),
        Prepared(text, ["key"]).variant({"key": "1"}),
        Prepared(f"{text} + 1", ["key"]).variant({"key": 1}),
    ]
    first, same, *others = [variant.name for variant in variants if variant]
    assert first == same
    assert len({first, *others}) == 3


def test_value_that_comes_twice_is_sent_once(connection: Any) -> None:
    twice = often(Prepared("SELECT %(one)s, %(one)s", ["one", "one"]))
    assert run(twice, connection, one=1) == [(1, 1)]
    assert len(names(connection)) == 1


@pytest.mark.parametrize("done", ["DISCARD ALL", "ALTER TABLE notes ALTER title TYPE text"])
def test_statement_is_answered_where_the_server_refuses_what_it_has_prepared(
    connection: Any, own_app: Flask, done: str
) -> None:
    prepared = often(Prepared("SELECT title FROM notes WHERE id = %(key)s", ["key"]))
    run(prepared, connection, key=1)
    connection.cursor().execute(done)
    assert run(prepared, connection, key=1) == []


def test_value_that_its_column_cannot_hold_is_not_found(connection: Any) -> None:
    for key in (1, 2**63, 1):
        assert run(often(LIKE), connection, key=key) == []
    assert connection.info[LIKE.make_variant(("bigint",)).name]


def test_error_of_a_statement_is_raised(connection: Any) -> None:
    with pytest.raises(IntegrityError):
        run(often(Prepared(CREATE, ["title"])), connection, title="")


def test_connection_prepares_so_many_statements_at_most(connection: Any) -> None:
    for number in range(PREPARED_MAX + 1):
        assert run(often(Prepared(f"SELECT {number}", [])), connection) == [(number,)]
    assert len(names(connection)) == PREPARED_MAX


def test_plan_is_prepared(own_app: Flask) -> None:
    for _ in range(COMES_OFTEN + 2):
        db.session.remove()
        assert own_app.test_client().get("/api/notes/1").status_code == 404
    statements = text("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%FROM notes%'")
    db.session.remove()
    with db.engines[READS].connect() as connection:
        assert len(connection.scalars(statements).all()) == 1
