"""Whether older code can run on the schema that there is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from config import TestingConfig
from manage import make
from slipway.migrations.history import downgrade
from slipway.migrations.state import known_revisions
from slipway.migrations.upgrade import migration_engine, prepare
from tests.support import ROOT

Sql = Callable[[str], list[Any]]
NOTES, CREWS = "a" * 12, "b" * 12  # the revisions of the development
OWN = """
revision = {revision!r}
down_revision = {before!r}
depends_on = None
{line}
def upgrade(): pass
def downgrade(): pass
"""


@pytest.fixture
def suits(development: Flask) -> Callable[..., Result]:
    """Return a function that asks whether code that ends with some revisions suits the database."""
    return lambda *given: development.test_cli_runner().invoke(args=["db", "suits", *given])


@pytest.fixture
def migrate(development: Flask) -> Callable[..., None]:
    """Return a function that adds a migration with a line of its own, and brings the database to it."""

    def add(revision: str, before: str | tuple[str, ...], line: str = "") -> None:
        path = Path(development.extensions["migrate"].directory) / "versions" / f"{revision}.py"
        path.write_text(OWN.format(revision=revision, before=before, line=line))
        known_revisions.cache_clear()
        prepare()

    return add


def test_code_of_the_schema_itself_suits(suits: Callable[..., Result]) -> None:
    run = suits(CREWS)
    assert (run.exit_code, run.output) == (0, "")


@pytest.mark.parametrize("line", ["", "backward_compatible = True"])
def test_code_from_before_what_is_compatible_suits(
    suits: Callable[..., Result], migrate: Callable[..., None], line: str
) -> None:
    migrate("added", CREWS, line)
    assert suits(NOTES).exit_code == 0


def test_code_from_before_what_is_incompatible_is_told_the_oldest(
    suits: Callable[..., Result], migrate: Callable[..., None]
) -> None:
    migrate("dropped", CREWS, "backward_compatible = False")
    migrate("again", "dropped", "backward_compatible = False")
    run = suits(NOTES)
    assert run.exit_code == 3
    assert run.output == (
        "Error: dropped.py is not backward compatible, and the database has had it;"
        " code from before it would fail\n"
    )


def test_code_that_has_what_is_incompatible_suits(
    suits: Callable[..., Result], migrate: Callable[..., None]
) -> None:
    migrate("dropped", CREWS, "backward_compatible = False")
    migrate("added", "dropped")
    assert suits("dropped").exit_code == 0


def test_what_is_incompatible_and_due_fails_nobody(
    suits: Callable[..., Result], migrate: Callable[..., None]
) -> None:
    migrate("dropped", CREWS, "backward_compatible = False")
    downgrade(migration_engine(), CREWS)
    assert suits(NOTES).exit_code == 0


def test_code_that_is_newer_than_the_schema_suits(development: Flask, suits: Callable[..., Result]) -> None:
    downgrade(migration_engine(), NOTES)
    assert suits(CREWS).exit_code == 0


def test_any_code_suits_an_empty_database(suits: Callable[..., Result], migrate: Callable[..., None]) -> None:
    migrate("dropped", CREWS, "backward_compatible = False")
    downgrade(migration_engine(), "base")
    assert suits(CREWS).exit_code == 0


def test_revision_that_this_code_does_not_know_is_told(suits: Callable[..., Result]) -> None:
    run = suits(CREWS, "of_tomorrow")
    assert (run.exit_code, run.output) == (1, "Error: revision of_tomorrow is not known to this code\n")


def test_code_that_is_older_than_the_schema_cannot_tell(suits: Callable[..., Result], sql: Sql) -> None:
    sql("UPDATE alembic_version SET version_num = 'of_tomorrow'")
    run = suits("of_today")
    assert run.exit_code == 1
    assert run.output == (
        "Error: the database has had the migration of_tomorrow, which this code does not have\n"
    )


def test_no_revision_is_bad_use(suits: Callable[..., Result]) -> None:
    assert suits().exit_code == 2


def test_newest_revision_of_the_code_is_printed(development: Flask) -> None:
    downgrade(migration_engine(), NOTES)
    assert development.test_cli_runner().invoke(args=["db", "known"]).output == f"{CREWS}\n"


def test_newest_revision_is_printed_without_a_database(settings: Callable[[str], dict[str, str]]) -> None:
    app = make(TestingConfig(settings("postgresql://nobody@127.0.0.1:1/nothing")))
    [head] = known_revisions(ROOT / "web/migrations")[0]
    run = app.test_cli_runner().invoke(args=["db", "known"])
    assert (run.exit_code, run.output) == (0, f"{head}\n")


def test_several_newest_revisions_are_told(development: Flask, migrate: Callable[..., None]) -> None:
    migrate("one", CREWS)
    path = Path(development.extensions["migrate"].directory) / "versions/two.py"
    path.write_text(OWN.format(revision="two", before=CREWS, line=""))
    known_revisions.cache_clear()
    run = development.test_cli_runner().invoke(args=["db", "known"])
    assert run.exit_code == 1
    assert "there are several newest migrations (one, two)" in run.output
