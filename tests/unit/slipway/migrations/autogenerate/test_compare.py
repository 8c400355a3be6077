"""What `make migrate` and `make doctor` see."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Enum,
    Index,
    Integer,
    Table,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.exc import IntegrityError

from slipway.doctor import differs, faults
from slipway.migrations.autogenerate.command import evolve
from slipway.migrations.history import downgrade
from slipway.migrations.state import NotPreparedError
from slipway.migrations.upgrade import migration_engine

Sql = Callable[[str], list[Any]]
CHECKS = (
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'notes'::regclass AND contype = 'c'"
)
DEFAULTS = "SELECT column_default FROM information_schema.columns WHERE udt_name = 'colour'"
VALUES = "SELECT enumlabel FROM pg_enum ORDER BY enumsortorder"


def agrees() -> bool:
    """Tell whether the models and the database do."""
    return not differs(migration_engine())


def test_new_check_is_added(development: Flask, notes: Table, sql: Sql) -> None:
    notes.append_constraint(CheckConstraint("title IN ('a', 'b%')", name="by_a_test"))
    evolve()
    with pytest.raises(IntegrityError, match="ck_notes_by_a_test"):
        sql("INSERT INTO notes (title) VALUES ('c')")
    assert agrees()


def test_removed_check_is_dropped(development: Flask, notes: Table, sql: Sql) -> None:
    sql("ALTER TABLE notes ADD CONSTRAINT ck_notes_by_a_test CHECK (title <> '')")
    evolve()
    assert sql(CHECKS) == []


def test_changed_check_takes_the_place_of_the_old_one(development: Flask, notes: Table, sql: Sql) -> None:
    sql("ALTER TABLE notes ADD CONSTRAINT ck_notes_by_a_test CHECK (length(title) > 1)")
    notes.append_constraint(CheckConstraint(func.length(notes.c.title) > 2, name="by_a_test"))
    evolve()
    assert sql(CHECKS) == ["CHECK ((length((title)::text) > 2))"]
    assert agrees()


def test_check_of_a_new_table_is_in_it(
    development: Flask, notes: Table, written: Callable[[], list[str]]
) -> None:
    check = CheckConstraint("size > 0", name="positive")
    Table("boxes", notes.metadata, Column("id", Integer, primary_key=True), Column("size", Integer), check)
    evolve()
    [revision] = written()
    assert "sa.CheckConstraint('size > 0', name=op.f('ck_boxes_positive'))" in revision
    assert agrees()


def test_check_that_came_back_by_a_downgrade_is_the_same(development: Flask, notes: Table, sql: Sql) -> None:
    notes.append_constraint(CheckConstraint("title IN ('a', 'b')", name="by_a_test"))
    sql("ALTER TABLE notes ADD CONSTRAINT ck_notes_by_a_test CHECK (title IN ('a', 'b'))")
    for _ in range(2):
        [words] = sql(CHECKS)
        sql("ALTER TABLE notes DROP CONSTRAINT ck_notes_by_a_test")
        sql(f"ALTER TABLE notes ADD CONSTRAINT ck_notes_by_a_test {words}")
        assert agrees()


@pytest.mark.parametrize("before", ["", " CONSTRAINT ck_notes_by_a_test CHECK (size > 5)"])
def test_check_at_a_column_is_seen(development: Flask, notes: Table, sql: Sql, before: str) -> None:
    sql(f"ALTER TABLE notes ADD COLUMN size int{before}")
    notes.append_column(Column("size", Integer, CheckConstraint("size > 6", name="by_a_test")))
    evolve()
    assert sql(CHECKS) == ["CHECK ((size > 6))"]
    assert agrees()


def test_check_at_a_column_of_a_new_table_is_in_it(
    development: Flask, notes: Table, written: Callable[[], list[str]]
) -> None:
    check = CheckConstraint("size > 0", name="positive")
    Table("boxes", notes.metadata, Column("id", Integer, primary_key=True), Column("size", Integer, check))
    evolve()
    [revision] = written()
    assert "sa.CheckConstraint('size > 0', name=op.f('ck_boxes_positive'))" in revision
    assert agrees()


def test_check_that_a_type_brings_along_is_added(development: Flask, notes: Table, sql: Sql) -> None:
    colour = Enum("red", "blue", name="colour", native_enum=False, create_constraint=True)
    notes.append_column(Column("colour", colour))
    notes.append_column(Column("kept", Boolean))
    evolve()
    with pytest.raises(IntegrityError, match="ck_notes_colour"):
        sql("INSERT INTO notes (title, colour) VALUES ('a', 'grey')")
    assert agrees()


def test_check_that_is_none_is_told(development: Flask, notes: Table, sql: Sql) -> None:
    sql("ALTER TABLE notes ADD CONSTRAINT ck_notes_by_a_test CHECK (length(title) > 1)")
    notes.append_constraint(CheckConstraint("lenght(title) > 2", name="by_a_test"))
    with pytest.raises(
        NotPreparedError, match="Postgres does not take ck_notes_by_a_test of the model of notes"
    ):
        evolve()
    [fault] = faults()
    assert "function lenght" in fault
    assert "\n" not in fault


def test_doctor_tells_a_check_that_is_not_in_the_database(development: Flask, notes: Table) -> None:
    notes.append_constraint(CheckConstraint("title <> ''", name="by_a_test"))
    assert list(faults()) == ["the models differ from the database; type make migrate in development"]


def test_column_of_a_new_enum_type_is_added(
    development: Flask, notes: Table, sql: Sql, written: Callable[[], list[str]]
) -> None:
    notes.append_column(Column("colour", Enum("it's", "a :b", name="colour"), server_default="it's"))
    evolve()
    [revision] = written()
    assert "add colour to notes" in revision
    assert sql(VALUES) == ["it's", "a :b"]
    assert agrees()


def test_new_values_are_added_before_they_are_used(
    development: Flask, notes: Table, sql: Sql, written: Callable[[], list[str]]
) -> None:
    sql("CREATE TYPE colour AS ENUM ('red', 'blue')")
    sql("ALTER TABLE notes ADD colour colour DEFAULT 'red'")
    colour = Enum("black", "red", "green", "blue", "white", name="colour")
    notes.append_column(Column("colour", colour, server_default="white"))
    notes.append_column(Column("colours", ARRAY(colour)))
    notes.append_constraint(CheckConstraint("colour <> 'green'", name="by_a_test"))
    evolve()
    assert sql(VALUES) == ["black", "red", "green", "blue", "white"]
    assert "ADD VALUE IF NOT EXISTS 'black' BEFORE 'red'" in written()[0]
    assert agrees()
    downgrade(migration_engine(), "b" * 12)
    assert sql(VALUES) == ["red", "blue"]
    assert sql(DEFAULTS) == ["'red'::colour"]


def test_value_that_is_taken_away_goes(development: Flask, notes: Table, sql: Sql) -> None:
    sql("CREATE TYPE colour AS ENUM ('red', 'green', 'blue')")
    sql("ALTER TABLE notes ADD colour colour DEFAULT 'red', ADD colours colour[]")
    sql("INSERT INTO notes (title, colour, colours) VALUES ('a', 'blue', '{red,blue}')")
    colour = Enum("red", "blue", name="colour")
    notes.append_column(Column("colour", colour, server_default="red"))
    notes.append_column(Column("colours", ARRAY(colour)))
    evolve(accepts=["changing-column-type"])
    assert sql(VALUES) == ["red", "blue"]
    assert sql("SELECT colours::text FROM notes WHERE colour = 'blue'") == ["{red,blue}"]
    assert agrees()


def test_value_is_exchanged_with_defaults_and_columns(development: Flask, notes: Table, sql: Sql) -> None:
    sql("CREATE TYPE colour AS ENUM ('red', 'green')")
    sql("ALTER TABLE notes ADD colour colour DEFAULT 'green', ADD old colour DEFAULT 'green'")
    colour = Enum("red", "blue", name="colour")
    notes.append_column(Column("colour", colour, server_default="blue"))
    notes.append_column(Column("new", colour, server_default="blue"))
    notes.append_constraint(CheckConstraint("new <> 'red'", name="by_a_test"))
    evolve(accepts=["changing-column-type"], drop=True)
    assert agrees()
    downgrade(migration_engine(), "b" * 12)
    assert sql(VALUES) == ["red", "green"]
    assert sql(DEFAULTS) == ["'green'::colour", "'green'::colour"]


def test_enum_type_goes_with_its_last_column(development: Flask, notes: Table, sql: Sql) -> None:
    sql("CREATE TYPE colour AS ENUM ('red')")
    sql("ALTER TABLE notes ADD colour colour")
    evolve(drop=True)
    assert sql(VALUES) == []


@pytest.mark.parametrize(("default", "expected"), [("changed", "'changed'::text"), (None, None)])
def test_default_that_is_changed_or_removed_is_seen(
    development: Flask, notes: Table, sql: Sql, default: str | None, expected: str | None
) -> None:
    notes.c.body.server_default = None if default is None else Column(server_default=default).server_default
    evolve()
    query = "SELECT column_default FROM information_schema.columns WHERE column_name = 'body'"
    assert sql(query) == [expected]
    assert agrees()


def test_default_without_an_operator_of_equality_is_compared(development: Flask, notes: Table) -> None:
    notes.append_column(Column("by_a_test", JSON, server_default='{"a": 1}'))
    evolve()
    assert agrees()


@pytest.mark.parametrize(
    "expressions",
    [
        lambda c: [
            func.to_tsvector(
                literal_column("'simple'"), func.coalesce(c.title, "") + " " + func.coalesce(c.body, "")
            )
        ],
        lambda c: [c.title.desc().nulls_last(), c.id],
        lambda c: [func.lower(c.title), text("(left(title, 3) || '%')")],
    ],
)
def test_index_is_built_once(
    development: Flask, notes: Table, sql: Sql, expressions: Callable[[Any], list[Any]]
) -> None:
    method = (
        "gin" if len(expressions(notes.c)) == 1 and "tsvector" in str(expressions(notes.c)[0]) else "btree"
    )
    Index("ix_notes_by_a_test", *expressions(notes.c), postgresql_using=method, _table=notes)
    evolve()
    assert sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_notes_by_a_test'") == [1]
    assert agrees()


@pytest.mark.parametrize(
    "old",
    ["gin (to_tsvector('simple', title))", "gin (to_tsvector('simple', body)) WHERE id > 1", "btree (body)"],
)
def test_changed_index_is_built_anew(development: Flask, notes: Table, sql: Sql, old: str) -> None:
    sql(f"CREATE INDEX ix_notes_by_a_test ON notes USING {old}")
    words = func.to_tsvector(literal_column("'simple'"), notes.c.body)
    Index("ix_notes_by_a_test", words, postgresql_using="gin", _table=notes)
    evolve()
    [index] = sql("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_notes_by_a_test'")
    assert index.endswith("USING gin (to_tsvector('simple'::regconfig, body))")
    assert agrees()


def test_index_that_was_built_half_way_is_built_anew(development: Flask, notes: Table, sql: Sql) -> None:
    sql("CREATE INDEX ix_notes_body ON notes (body)")
    sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_notes_body'::regclass")
    Index(None, notes.c.body)
    evolve()
    assert sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_notes_body'::regclass") == [True]
