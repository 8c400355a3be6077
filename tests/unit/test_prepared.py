"""A statement that comes often is prepared, and answered also where that cannot be."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from psycopg2 import IntegrityError
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
    assert names(connection) == [prepared.name]


def test_statement_that_is_prepared_yields_what_it_yields_otherwise(connection: Any) -> None:
    [(key,)] = run(often(Prepared(CREATE, ["title"])), connection, title="a 100 % sure")
    for times in (0, COMES_OFTEN):
        LIKE.times = times
        assert run(LIKE, connection, key=key) == [("a 100 % sure",)]


def test_same_name_is_the_same_statement() -> None:
    one, other = Prepared("SELECT %(key)s", ["key"]), Prepared("SELECT -%(key)s", ["key"])
    assert one.name == Prepared("SELECT %(other)s", ["other"]).name
    assert one.name != other.name


@pytest.mark.parametrize("done", ["DISCARD ALL", "ALTER TABLE notes ALTER title TYPE text"])
def test_statement_is_answered_where_the_server_refuses_what_it_has_prepared(
    connection: Any, own_app: Flask, done: str
) -> None:
    prepared = often(Prepared("SELECT title FROM notes WHERE id = %(key)s", ["key"]))
    run(prepared, connection, key=1)
    connection.cursor().execute(done)
    assert run(prepared, connection, key=1) == []


def test_value_that_its_column_cannot_hold_is_not_found(connection: Any) -> None:
    assert run(often(LIKE), connection, key=2**63) == []


def test_statement_whose_types_cannot_be_guessed_is_answered(connection: Any) -> None:
    assert run(often(Prepared("SELECT num_nulls(%(one)s)", ["one"])), connection, one=None) == [(1,)]


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
