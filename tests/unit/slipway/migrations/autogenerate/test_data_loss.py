"""What would be lost is told with how much it is."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Column, Table, Text

from slipway.migrations.autogenerate.command import evolve
from slipway.migrations.state import NotPreparedError

Sql = Callable[[str], list[Any]]


@pytest.mark.parametrize(("number", "words"), [(1, "1 row"), (12, "12 rows")])
def test_table_is_told_with_its_rows(
    development: Flask, notes: Table, sql: Sql, number: int, words: str
) -> None:
    sql(f"CREATE TABLE books AS SELECT generate_series(1, {number})")
    with pytest.raises(NotPreparedError, match=f"this would drop the table books with {words}; nothing"):
        evolve()


def test_column_is_told_with_its_values(development: Flask, notes: Table, sql: Sql) -> None:
    sql("ALTER TABLE notes ADD subtitle text")
    sql("CREATE TABLE books AS SELECT 1")
    sql("INSERT INTO notes (title, subtitle) VALUES ('a', 'b'), ('a', ''), ('a', NULL)")
    expected = (
        "the table books with 1 row and the column notes.subtitle, which has a value in 2 rows; nothing"
    )
    with pytest.raises(NotPreparedError, match=expected):
        evolve()


def test_required_column_is_told_before_it_is_written(development: Flask, notes: Table, sql: Sql) -> None:
    sql("INSERT INTO notes (title) VALUES ('a')")
    notes.append_column(Column("by_a_test", Text, nullable=False))
    with pytest.raises(
        NotPreparedError, match="There are rows already: let the column be null, or give it a"
    ):
        evolve()


def test_required_column_of_an_empty_table_wants_to_be_accepted(development: Flask, notes: Table) -> None:
    notes.append_column(Column("by_a_test", Text, nullable=False))
    with pytest.raises(NotPreparedError, match="make migrate accept=adding-required-field"):
        evolve()
    assert notes.metadata.tables["notes"] is notes
