"""Revisions that a big, live table stands."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from slipway.doctor import differs
from slipway.migrations.autogenerate.command import evolve
from slipway.migrations.history import downgrade, stamp
from slipway.migrations.state import NotPreparedError
from slipway.migrations.upgrade import migration_engine, prepare

Sql = Callable[[str], list[Any]]
Written = Callable[[], list[str]]
UNVALIDATED = "SELECT conname FROM pg_constraint WHERE NOT convalidated"
INDEXES = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'notes'::regclass ORDER BY 1"
HEAD = "b" * 12


def up(revision: str) -> str:
    """Return the body of the upgrade of a revision."""
    return revision.partition("def upgrade()")[2].partition("def downgrade()")[0]


def goes_back_and_forth() -> bool:
    """Tell whether all that was written can be undone and done again."""
    engine = migration_engine()
    downgrade(engine, HEAD)
    prepare()
    return not differs(engine)


def test_index_of_a_table_that_is_there_is_built_concurrently(
    development: Flask, notes: Table, written: Written
) -> None:
    Index(None, notes.c.title)
    evolve()
    [revision] = written()
    assert "with op.get_context().autocommit_block():" in up(revision)
    assert re.search(r"op.drop_index\('ix_notes_title'.*if_exists=True\)\n.*op.create_index\(", up(revision))
    assert goes_back_and_forth()


def test_new_table_is_made_in_one_go(development: Flask, notes: Table, written: Written) -> None:
    Table(
        "boxes",
        notes.metadata,
        Column("id", BigInteger, primary_key=True),
        Column("note_id", ForeignKey("notes.id"), index=True, unique=True),
        CheckConstraint("id > 0", name="by_a_test"),
    )
    evolve()
    [revision] = written()
    assert "autocommit_block" not in revision
    assert "not_valid" not in revision


@pytest.mark.parametrize("kind", ["check", "foreign key"])
def test_constraint_is_validated_in_a_revision_of_its_own(
    development: Flask, notes: Table, written: Written, sql: Sql, kind: str
) -> None:
    if kind == "check":
        notes.append_constraint(CheckConstraint("title <> ''", name="by_a_test"))
    else:
        notes.append_column(Column("parent_id", ForeignKey("notes.id")))
    evolve("Second thoughts")
    main, validation = written()
    assert main.startswith('"""Second thoughts"""')
    assert "postgresql_not_valid=True" in up(main)
    assert validation.startswith('"""validate ')
    assert "VALIDATE CONSTRAINT" in up(validation)
    assert sql(UNVALIDATED) == []
    assert goes_back_and_forth()


def test_unique_constraint_is_an_index_first(
    development: Flask, notes: Table, written: Written, sql: Sql
) -> None:
    notes.append_constraint(UniqueConstraint("title", deferrable=True))
    evolve()
    [revision] = written()
    assert "unique=True, postgresql_concurrently=True" in up(revision)
    assert "UNIQUE USING INDEX uq_notes_title DEFERRABLE" in up(revision)
    assert sql("SELECT condeferrable FROM pg_constraint WHERE conname = 'uq_notes_title'") == [True]
    assert goes_back_and_forth()


def test_all_at_once_is_three_revisions_in_their_order(
    development: Flask, notes: Table, written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    notes.append_column(Column("subtitle", Text, unique=True))
    notes.append_column(Column("parent_id", ForeignKey("notes.id"), index=True))
    notes.append_constraint(CheckConstraint("subtitle <> ''", name="by_a_test"))
    evolve()
    assert [text.partition("\n")[0] for text in written()] == [
        '"""add subtitle to notes"""',
        '"""validate fk_notes_parent_id_notes"""',
        '"""build ix_notes_parent_id"""',
    ]
    assert capsys.readouterr().out.count("\nweb/migrations/versions/") == 3
    assert goes_back_and_forth()


def test_index_is_gone_before_its_column_and_back_after_it(
    development: Flask, notes: Table, written: Written, sql: Sql
) -> None:
    sql("CREATE INDEX ix_notes_body ON notes (body)")
    notes._columns.remove(notes.c.body)
    evolve(drop=True)
    assert len(written()) == 2
    downgrade(migration_engine(), HEAD)
    assert sql(INDEXES) == ["ix_notes_body", "pk_notes"]


def test_constraint_on_a_renamed_column_can_be_undone(development: Flask, notes: Table, sql: Sql) -> None:
    sql("ALTER TABLE notes ADD CONSTRAINT uq_notes_title UNIQUE (title)")
    sql("ALTER TABLE notes ADD CONSTRAINT ck_notes_by_a_test CHECK (title <> '')")
    column = notes.c.title
    notes._columns.remove(column)
    notes.append_column(Column("heading", column.type, nullable=False))
    notes.append_constraint(UniqueConstraint("heading"))
    notes.append_constraint(CheckConstraint("heading <> ''", name="by_a_test"))
    evolve(renames=[("title", "heading")])
    assert goes_back_and_forth()


@pytest.fixture
def same_titles(sql: Sql) -> None:
    """Two notes of the same title."""
    sql("INSERT INTO notes (title) VALUES ('a'), ('a')")


def test_nothing_stays_of_a_run_that_fails_at_its_end(
    development: Flask, notes: Table, written: Written, sql: Sql, same_titles: None
) -> None:
    notes.append_column(Column("by_a_test", Text))
    notes.append_constraint(UniqueConstraint("title"))
    with pytest.raises(NotPreparedError, match="There are duplicate values already"):
        evolve()
    assert written() == []
    assert sql("SELECT version_num FROM alembic_version") == [HEAD]
    assert sql(INDEXES) == ["pk_notes"]
    assert sql("SELECT 1 FROM information_schema.columns WHERE column_name = 'by_a_test'") == []


def test_rows_that_break_a_check_are_told(
    development: Flask, notes: Table, written: Written, sql: Sql, same_titles: None
) -> None:
    notes.append_constraint(CheckConstraint("title <> 'a'", name="by_a_test"))
    with pytest.raises(NotPreparedError, match="There are rows already that break it"):
        evolve()
    assert written() == []
    assert sql("SELECT 1 FROM pg_constraint WHERE conname = 'ck_notes_by_a_test'") == []


def test_revision_that_failed_half_way_can_be_run_again(development: Flask, notes: Table, sql: Sql) -> None:
    notes.append_constraint(UniqueConstraint("title"))
    Index(None, notes.c.body)
    evolve()
    downgrade(migration_engine(), HEAD)
    sql("INSERT INTO notes (title) VALUES ('a'), ('a')")
    with pytest.raises(NotPreparedError, match="failed half way"):
        prepare()
    assert sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [1]
    sql("DELETE FROM notes")
    prepare()
    assert not differs(migration_engine())


def test_attached_constraint_does_not_keep_a_revision_from_running_again(
    development: Flask, notes: Table, sql: Sql
) -> None:
    notes.append_constraint(UniqueConstraint("title"))
    evolve()
    stamp(migration_engine(), HEAD)
    prepare()
    assert not differs(migration_engine())


def test_run_that_cannot_be_undone_keeps_its_files(
    development: Flask, notes: Table, written: Written, same_titles: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise RuntimeError("no way back")

    monkeypatch.setattr(command, "downgrade", fail)
    notes.append_column(Column("by_a_test", Text))
    notes.append_constraint(UniqueConstraint("title"))
    with pytest.raises(NotPreparedError, match="could not be undone, so the files stay:\nno way back"):
        evolve()
    assert len(written()) == 2


def test_tables_that_refer_to_one_another_are_dropped_and_come_back(
    development: Flask, notes: Table, sql: Sql, written: Written
) -> None:
    sql("CREATE TABLE authors (id bigint CONSTRAINT pk_authors PRIMARY KEY)")
    sql(
        "CREATE TABLE books (id bigint CONSTRAINT pk_books PRIMARY KEY, author_id bigint"
        " CONSTRAINT fk_books_author_id_authors REFERENCES authors)"
    )
    sql("CREATE INDEX ix_books_author_id ON books (author_id)")
    evolve(drop=True)
    assert '"""drop books, authors"""' in written()[-1]
    assert sql("SELECT to_regclass('authors')::text") == [None]
    downgrade(migration_engine(), HEAD)
    assert sql("SELECT to_regclass('ix_books_author_id')::text") == ["ix_books_author_id"]
    prepare()
    assert not differs(migration_engine())
