from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Column, Table, Text, TypeDecorator, inspect

from slipway.migrations.autogenerate.command import evolve
from slipway.migrations.state import NotPreparedError, known_revisions
from slipway.migrations.upgrade import migration_engine


def versions(app: Flask) -> list[str]:
    """Return the slugs of the migrations."""
    paths = sorted(Path(app.extensions["migrate"].directory).glob("versions/*.py"))
    return [path.stem.split("_", 2)[2] for path in paths]


def columns() -> set[str]:
    """Return the columns that the database has."""
    return {column["name"] for column in inspect(migration_engine()).get_columns("notes")}


def test_no_difference_writes_nothing(development: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    before = versions(development)
    evolve()
    assert versions(development) == before
    assert "nothing to migrate" in capsys.readouterr().out


def test_new_column_is_written_applied_and_shown(
    development: Flask, notes: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    notes.append_column(Column("added_by_a_test", Text))
    evolve()
    assert versions(development)[-1] == "add_added_by_a_test_to_notes"
    assert "added_by_a_test" in columns()
    out = capsys.readouterr().out
    assert "web/migrations/versions/" in out
    assert "op.add_column('notes'" in out


def test_revision_is_applied_under_the_lock(
    development: Flask, notes: Table, locked: Callable[[str], list[bool]]
) -> None:
    told = locked("slipway.migrations.autogenerate.command.upgrade")
    notes.append_column(Column("added_by_a_test", Text))
    evolve()
    assert told == [True]


def test_message_names_the_revision(development: Flask, notes: Table) -> None:
    notes.append_column(Column("added_by_a_test", Text))
    evolve("Second thoughts")
    assert versions(development)[-1] == "second_thoughts"


def test_lost_column_stops_it_with_the_ways_on(development: Flask, notes: Table) -> None:
    before = versions(development)
    notes._columns.remove(notes.c.body)
    notes.append_column(Column("renamed_by_a_test", Text))
    with pytest.raises(NotPreparedError) as caught:
        evolve()
    assert "drop the column notes.body" in str(caught.value)
    assert "make migrate rename=body:renamed_by_a_test" in str(caught.value)
    assert "make migrate drop=yes" in str(caught.value)
    assert versions(development) == before


def test_drop_loses_the_column(development: Flask, notes: Table) -> None:
    notes._columns.remove(notes.c.body)
    evolve(drop=True)
    assert "body" not in columns()


def test_rename_keeps_the_data(development: Flask, notes: Table) -> None:
    with migration_engine().begin() as connection:
        connection.exec_driver_sql("INSERT INTO notes (title, body) VALUES ('a', 'kept')")
    notes._columns.remove(notes.c.body)
    notes.append_column(Column("renamed_by_a_test", Text, server_default="", nullable=False))
    evolve(renames=[("body", "renamed_by_a_test")])
    with migration_engine().connect() as connection:
        assert connection.exec_driver_sql("SELECT renamed_by_a_test FROM notes").scalars().all() == ["kept"]


def test_several_columns_are_renamed_at_once(development: Flask, notes: Table) -> None:
    for old, new in [("title", "heading"), ("body", "renamed_by_a_test")]:
        column = notes.c[old]
        notes._columns.remove(column)
        notes.append_column(Column(new, column.type, server_default=column.server_default, nullable=False))
    evolve(renames=[("title", "heading"), ("body", "renamed_by_a_test")])
    assert {"heading", "renamed_by_a_test"} <= columns()
    assert not {"title", "body"} & columns()


def test_rename_of_what_is_not_there_is_told(development: Flask, notes: Table) -> None:
    notes.append_column(Column("added_by_a_test", Text))
    with pytest.raises(
        NotPreparedError,
        match="rename=body:renamed_by_a_test: no table drops body and adds renamed_by_a_test",
    ):
        evolve(renames=[("body", "renamed_by_a_test")])


def test_revision_that_cannot_be_applied_is_not_kept(development: Flask, notes: Table) -> None:
    with migration_engine().begin() as connection:
        connection.exec_driver_sql("INSERT INTO notes (title) VALUES ('a')")
    before = versions(development)
    notes.append_column(Column("added_by_a_test", Text, nullable=False))
    with pytest.raises(NotPreparedError, match="contains null values"):
        evolve()
    assert versions(development) == before
    assert "added_by_a_test" not in columns()


def test_revision_of_somebody_else_that_came_meanwhile_is_kept(
    development: Flask, notes: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Path(development.extensions["migrate"].directory) / "versions/20990101_000000_theirs.py"
    [head] = known_revisions(theirs.parents[1])[0]

    def fail(*_: object) -> None:
        text = f'revision = "theirs"\ndown_revision = "{head}"\nbranch_labels = depends_on = None\n'
        theirs.write_text(text)
        raise RuntimeError("cannot be applied")

    monkeypatch.setattr("slipway.migrations.autogenerate.command.upgrade", fail)
    notes.append_column(Column("added_by_a_test", Text))
    with pytest.raises(RuntimeError):
        evolve()
    assert versions(development)[-1] == "theirs"
    assert "add_added_by_a_test_to_notes" not in versions(development)


def test_revision_that_is_no_python_is_not_kept(development: Flask, notes: Table) -> None:
    class Colour(TypeDecorator[str]):
        """Of a module that the revision does not import."""

        impl, cache_ok = Text, True

    before = versions(development)
    notes.append_column(Column("colour", Colour))
    with pytest.raises(NotPreparedError, match="NameError"):
        evolve()
    assert versions(development) == before


@pytest.mark.parametrize("message", ['say "so"', "back\\slash", '"""', "it's"])
def test_message_may_have_any_character(development: Flask, notes: Table, message: str) -> None:
    notes.append_column(Column("added_by_a_test", Text))
    evolve(message)
    assert "added_by_a_test" in columns()


def test_rename_without_a_change_of_the_model_is_told(development: Flask) -> None:
    with pytest.raises(NotPreparedError, match="change the model first"):
        evolve(renames=[("body", "renamed_by_a_test")])


def test_database_that_is_newer_than_the_code_is_told(development: Flask) -> None:
    with migration_engine().begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'of_tomorrow'")
    with pytest.raises(NotPreparedError, match="go back to the code that has them"):
        evolve()


def test_outside_development_it_only_upgrades(development: Flask, notes: Table) -> None:
    before = versions(development)
    development.config["DEVELOPMENT"] = False
    notes.append_column(Column("added_by_a_test", Text))
    evolve()
    assert versions(development) == before
