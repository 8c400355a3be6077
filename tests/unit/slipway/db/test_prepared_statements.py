"""A statement that comes often is prepared, and answered also where that cannot be."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, Select, bindparam, cast, func, literal, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import Boolean, Integer, LargeBinary, String

from app.extensions import db
from app.notes.models import Note
from slipway.db.prepared_statements import COMES_OFTEN, PREPARED_MAX, Kept, Prepared
from slipway.db.rows import alone

TITLE = select(Note.title).where(Note.id == bindparam("key"), Note.title.like("a%"))


@pytest.fixture
def connection(own_app: Flask) -> Iterator[Connection]:
    """A connection in AUTOCOMMIT mode."""
    with alone(db.engine) as connection:
        yield connection


def run(statement: Select[Any], connection: Connection, **values: Any) -> list[Any] | None:
    """Return the rows of a statement that is prepared; None where it is to be run as it stands."""
    result = Prepared(statement, connection).execute(connection, values)
    return None if result is None else [tuple(row) for row in result]


def names(connection: Connection) -> list[str]:
    """Return the names of what the server has prepared for a connection."""
    return list(connection.scalars(text("SELECT name FROM pg_prepared_statements")))


def test_statement_is_prepared_when_it_has_come_often(connection: Connection) -> None:
    kept, statement = Kept(), select(literal(1, Integer))
    for _ in range(COMES_OFTEN):
        kept.execute(connection, statement, None)
    assert not names(connection)
    assert kept.execute(connection, statement, None).scalar() == 1
    assert len(names(connection)) == 1


def test_statement_that_is_prepared_yields_what_it_yields_otherwise(connection: Connection) -> None:
    title = "a 100 % sure :one %(two)s"
    key = connection.scalar(Note.__table__.insert().values(title=title).returning(Note.id))
    assert run(TITLE, connection, key=key) == [(title,)]


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        (5 / bindparam("value", type_=Integer), 2, Decimal("2.5")),
        (cast("a", String) == bindparam("value", type_=String), "a", True),
        (bindparam("value", type_=Boolean).is_(True), True, True),
        (func.num_nulls(bindparam("value", type_=String)), None, 1),
        (func.length(bindparam("value", type_=LargeBinary)), b"a", 1),
        (func.to_jsonb(bindparam("value", type_=Integer)), 2**40, None),
    ],
)
def test_value_means_the_same_to_a_statement_that_is_prepared(
    connection: Connection, expression: Any, value: Any, expected: Any
) -> None:
    statement = select(expression)
    if (found := run(statement, connection, value=value)) is not None:
        assert found == [tuple(row) for row in connection.execute(statement, {"value": value})]
        assert expected is None or found == [(expected,)]


@pytest.mark.parametrize("value", [1.5, Decimal("1.5"), datetime(2026, 1, 2, tzinfo=UTC)])
def test_value_that_might_be_converted_is_not_given_to_a_prepared_statement(
    connection: Connection, value: Any
) -> None:
    assert run(select(Note.id).where(Note.id < bindparam("value")), connection, value=value) is None
    assert run(select(Note.id).where(Note.id < literal(value)), connection) is None


def test_same_name_is_the_same_statement(connection: Connection) -> None:
    other = TITLE.with_only_columns(Note.body)
    statements = (TITLE, TITLE.where(), other)
    first, same, another = (Prepared(it, connection).variant(("bigint", "unknown")) for it in statements)
    assert first.name == same.name != another.name
    assert Prepared(TITLE, connection).variant(("unknown", "unknown")).name != first.name


@pytest.mark.parametrize("done", ["DISCARD ALL", "ALTER TABLE notes ALTER title TYPE text"])
def test_statement_is_left_to_be_run_as_it_stands_where_the_server_refuses_it(
    connection: Connection, done: str
) -> None:
    kept = Kept()
    statement = select(Note.title).where(Note.id == bindparam("key"))
    for _ in range(COMES_OFTEN + 1):
        kept.execute(connection, statement, {"key": 1})
    connection.exec_driver_sql(done)
    assert kept.execute(connection, statement, {"key": 1}).all() == []
    assert not any(connection.info["prepared"].values())


def test_value_that_its_column_cannot_hold_is_not_found(connection: Connection) -> None:
    kept = Kept()
    for key in [1] * (COMES_OFTEN + 1) + [2**63, 1]:
        assert kept.execute(connection, TITLE, {"key": key}).all() == []
    assert all(connection.info["prepared"].values())


def test_statement_that_takes_too_long_is_not_run_again(connection: Connection) -> None:
    connection.exec_driver_sql("SET statement_timeout = 100")
    with pytest.raises(OperationalError, match="statement timeout"):
        run(select(func.pg_sleep(10)), connection)


def test_connection_prepares_so_many_statements_at_most(connection: Connection) -> None:
    for number in range(PREPARED_MAX + 1):
        run(select(literal(number, Integer).label(f"of_{number}")), connection)
    assert len(names(connection)) == PREPARED_MAX


def test_list_and_record_are_prepared(own_app: Flask) -> None:
    client = own_app.test_client()
    for _ in range(COMES_OFTEN + 2):
        assert client.get("/api/notes/1").status_code == 404
        assert client.get("/api/notes").status_code == 200
    with db.engine.connect() as connection:
        assert len(names(connection)) == 2
