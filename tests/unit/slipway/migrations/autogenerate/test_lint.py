"""What would hurt a big, live table is told, and is accepted by name."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from alembic import op
from flask import Flask
from sqlalchemy import Column, String, Table, Text, UniqueConstraint, text

from slipway.migrations.autogenerate.command import evolve
from slipway.migrations.autogenerate.lint import BREAKING, RULES, UNREADABLE, findings, lint
from slipway.migrations.state import NotPreparedError

Sql = Callable[[str], list[Any]]
Written = Callable[[], list[str]]

BROKEN = {
    "adding-field-with-default": "ALTER TABLE a ADD COLUMN b uuid DEFAULT gen_random_uuid()",
    "adding-foreign-key-constraint": "ALTER TABLE a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES d (e)",
    "adding-not-nullable-field": "ALTER TABLE a ALTER COLUMN b SET NOT NULL",
    "adding-required-field": "ALTER TABLE a ADD COLUMN b text NOT NULL",
    "adding-serial-primary-key-field": "ALTER TABLE a ADD PRIMARY KEY (b)",
    "ban-drop-column": "ALTER TABLE a DROP COLUMN b",
    "ban-drop-not-null": "ALTER TABLE a ALTER COLUMN b DROP NOT NULL",
    "ban-drop-table": "DROP TABLE a",
    "changing-column-type": "ALTER TABLE a ALTER COLUMN b TYPE bigint",
    "constraint-missing-not-valid": "ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0)",
    "disallowed-unique-constraint": "ALTER TABLE a ADD CONSTRAINT b UNIQUE (c)",
    "renaming-column": "ALTER TABLE a RENAME COLUMN b TO c",
    "renaming-table": "ALTER TABLE a RENAME TO b",
    "require-concurrent-index-creation": "CREATE INDEX a ON b (c)",
    "require-concurrent-index-deletion": "DROP INDEX a",
}
ONLY_HURTS = [
    "adding-field-with-default",
    "adding-foreign-key-constraint",
    "adding-serial-primary-key-field",
    "ban-drop-not-null",
    "constraint-missing-not-valid",
    "disallowed-unique-constraint",
    "require-concurrent-index-creation",
    "require-concurrent-index-deletion",
]
BROKEN_FOR_OLDER_CODE = BROKEN | {
    "ban-alter-identity": "ALTER TABLE a ALTER COLUMN b DROP IDENTITY",
    "ban-drop-default": "ALTER TABLE a ALTER COLUMN b DROP DEFAULT",
    "ban-drop-domain": "DROP DOMAIN a",
    "ban-drop-extension": "DROP EXTENSION a",
    "ban-drop-function": "DROP FUNCTION a",
    "ban-drop-generated-expression": "ALTER TABLE a ALTER COLUMN b DROP EXPRESSION",
    "ban-drop-schema": "DROP SCHEMA a",
    "ban-drop-sequence": "DROP SEQUENCE a",
    "ban-drop-type": "DROP TYPE a",
    "ban-drop-view": "DROP VIEW a",
    "ban-set-schema": "ALTER TABLE a SET SCHEMA b",
    "renaming-object": "ALTER VIEW a RENAME TO b",
}
HARMLESS = [
    "CREATE TABLE a (b text UNIQUE NOT NULL CHECK (b <> '')); CREATE INDEX c ON a (b)",
    "ALTER TABLE a ADD COLUMN b text DEFAULT '' NOT NULL",
    "ALTER TABLE a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES d (e) NOT VALID",
    "ALTER TABLE a VALIDATE CONSTRAINT b",
    "ALTER TABLE a ADD CONSTRAINT b UNIQUE USING INDEX b",
    "UPDATE a SET b = 1",
    "ALTER TABLE a DROP CONSTRAINT b",
    "ALTER TABLE a ALTER COLUMN b SET DEFAULT 1",
]


def revision(upgrade: Callable[[], object]) -> ModuleType:
    """Return a revision that does `upgrade`."""
    return cast(ModuleType, SimpleNamespace(upgrade=upgrade))


@pytest.mark.parametrize("rule", sorted(set(RULES) - {UNREADABLE}))
def test_statement_that_hurts_is_found(rule: str) -> None:
    found = findings(revision(lambda: op.execute(BROKEN[rule])))
    assert rule in {finding.rule for finding in found}
    assert {finding.statement for finding in found} == {BROKEN[rule]}


@pytest.mark.parametrize("rule", sorted(BREAKING))
def test_statement_that_older_code_may_fail_after_is_found(rule: str) -> None:
    found = findings(revision(lambda: op.execute(BROKEN_FOR_OLDER_CODE[rule])))
    assert rule in {finding.rule for finding in found if finding.breaks}


@pytest.mark.parametrize("rule", ONLY_HURTS)
def test_statement_that_only_hurts_leaves_older_code_running(rule: str) -> None:
    found = findings(revision(lambda: op.execute(BROKEN[rule])))
    assert not any(finding.breaks for finding in found)


@pytest.mark.parametrize("statement", HARMLESS)
def test_statement_that_does_not_hurt_is_passed(statement: str) -> None:
    assert findings(revision(lambda: op.execute(statement))) == []


def test_revision_that_asks_the_database_is_told() -> None:
    found = findings(revision(lambda: op.get_bind().execute(text("SELECT 1")).one()))
    assert [finding.rule for finding in found] == [UNREADABLE]


def test_shipped_revisions_hurt_nobody(shipped: Flask) -> None:
    assert list(lint()) == []


def widen(notes: Table) -> None:
    """Change the type of a column."""
    column = notes.c.title
    notes._columns.remove(column)
    notes.append_column(Column("title", String(300), nullable=False))


def test_what_hurts_stops_it_with_the_way_on(development: Flask, notes: Table, written: Written) -> None:
    widen(notes)
    with pytest.raises(NotPreparedError) as caught:
        evolve()
    first, finding, _, way = str(caught.value).splitlines()
    assert first.endswith("nothing was written.")
    assert finding.startswith("ALTER TABLE notes ALTER COLUMN title TYPE VARCHAR(300): every row")
    assert way == "  make migrate accept=changing-column-type  to write it all the same"
    assert written() == []


def test_what_is_accepted_stands_in_the_revision(development: Flask, notes: Table, written: Written) -> None:
    widen(notes)
    evolve(accepts=["changing-column-type"])
    assert '\naccepts = ["changing-column-type"]\n' in written()[0]
    assert list(lint()) == []


def test_rename_and_drop_accept_what_they_are_for(development: Flask, notes: Table, written: Written) -> None:
    for name in ("title", "body"):
        notes._columns.remove(notes.c[name])
    notes.append_column(Column("heading", String(200), nullable=False))
    evolve(renames=[("title", "heading")], drop=True)
    assert '\naccepts = ["ban-drop-column", "renaming-column"]\n' in written()[0]


def test_what_older_code_may_fail_after_says_so(development: Flask, notes: Table, written: Written) -> None:
    widen(notes)
    evolve(accepts=["changing-column-type"])
    assert "\nbackward_compatible = False\n" in written()[0]


def test_dropped_default_says_so_and_needs_no_acceptance(
    development: Flask, notes: Table, written: Written
) -> None:
    notes.c.body.server_default = None
    evolve()
    assert "\nbackward_compatible = False\n" in written()[0]
    assert "accepts" not in written()[0]


def test_what_older_code_can_do_with_says_nothing(development: Flask, notes: Table, written: Written) -> None:
    notes.append_column(Column("by_a_test", Text))
    notes.append_constraint(UniqueConstraint("title"))
    evolve()
    assert len(written()) == 2
    assert not any("backward_compatible" in text for text in written())


def test_of_several_revisions_only_the_one_that_breaks_says_so(
    development: Flask, notes: Table, written: Written
) -> None:
    notes._columns.remove(notes.c.body)
    notes.append_constraint(UniqueConstraint("title"))
    evolve(drop=True)
    assert ["backward_compatible = False" in text for text in written()] == [True, False]


def test_way_on_repeats_what_was_said(development: Flask, notes: Table) -> None:
    widen(notes)
    notes._columns.remove(notes.c.body)
    notes.append_column(Column("text", Text, nullable=False))
    with pytest.raises(
        NotPreparedError, match="rename=body:text accept=changing-column-type,renaming-table  to"
    ):
        evolve(renames=[("body", "text")], accepts=["renaming-table"])


@pytest.fixture
def handwritten(development: Flask) -> Callable[..., None]:
    """Return a function that writes a revision that drops a table, or does else, with a line more."""
    folder = Path(development.extensions["migrate"].directory) / "versions"

    def write(line: str, upgrade: str = "op.drop_table('notes')") -> None:
        (folder / "99991231_235959_by_a_test.py").write_text(
            f"from alembic import op\nrevision = 'a'\ndown_revision = 'bbbbbbbbbbbb'\n{line}\n"
            f"def upgrade():\n    {upgrade}\ndef downgrade():\n    pass\n"
        )

    return write


def test_lint_names_file_and_rule(development: Flask, handwritten: Callable[..., None]) -> None:
    handwritten("backward_compatible = False")
    run = development.test_cli_runner().invoke(args=["db", "lint"])
    assert run.exit_code == 1
    assert run.output.startswith("99991231_235959_by_a_test.py: DROP TABLE notes: its data is gone")
    assert run.output.endswith("(ban-drop-table)\n")


def test_lint_passes_what_is_accepted(development: Flask, handwritten: Callable[..., None]) -> None:
    handwritten("accepts = ['ban-drop-table']; backward_compatible = False")
    assert development.test_cli_runner().invoke(args=["db", "lint"]).exit_code == 0


def test_lint_asks_whether_older_code_can_run(development: Flask, handwritten: Callable[..., None]) -> None:
    handwritten("accepts = ['ban-drop-table']")
    run = development.test_cli_runner().invoke(args=["db", "lint"])
    assert run.exit_code == 1
    assert run.output == (
        "99991231_235959_by_a_test.py: DROP TABLE notes: the code from before may fail after it"
        " (ban-drop-table); say backward_compatible = False,"
        " or True where that code no longer needs what goes\n"
    )


def test_lint_asks_it_of_what_hurts_no_table(development: Flask, handwritten: Callable[..., None]) -> None:
    handwritten("", "op.execute('DROP VIEW a')")
    [told] = lint()
    assert "DROP VIEW a: the code from before may fail after it (ban-drop-view); say " in told


@pytest.mark.parametrize("said", [True, False])
def test_lint_passes_a_revision_that_says_whether(
    development: Flask, handwritten: Callable[..., None], said: bool
) -> None:
    handwritten(f"accepts = ['ban-drop-table']; backward_compatible = {said}")
    assert list(lint()) == []


@pytest.mark.parametrize("said", ["None", "'no'", "0"])
def test_lint_tells_an_answer_that_is_none(
    development: Flask, handwritten: Callable[..., None], said: str
) -> None:
    handwritten(f"accepts = ['ban-drop-table']; backward_compatible = {said}")
    expected = f"99991231_235959_by_a_test.py: backward_compatible is {said}; it is to be True or False"
    assert list(lint()) == [expected]


def test_lint_tells_an_accepted_rule_that_is_none(
    development: Flask, handwritten: Callable[..., None]
) -> None:
    handwritten("accepts = ['ban-drop-table', 'ban-everything']")
    assert "accepts 'ban-everything', which is no rule" in next(lint())


def test_unknown_rule_is_told_with_those_there_are(development: Flask) -> None:
    run = development.test_cli_runner().invoke(
        args=["db", "evolve", "--accept", "renaming-column,everything"]
    )
    assert run.exit_code == 1
    assert "accept=everything: there is no such rule; there are adding-field-with-default, " in run.output
