"""What the database has had, a step back, and the whole way there and back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner

from slipway.doctor import differs
from slipway.migrations.history import downgrade, revisions, stepback, walk
from slipway.migrations.state import NotPreparedError
from slipway.migrations.upgrade import migration_engine, migrations

Sql = Callable[[str], list[Any]]
LEFT = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace
    UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


@pytest.fixture
def runner(development: Flask) -> FlaskCliRunner:
    """A command line."""
    return development.test_cli_runner()


def upgrade(revision: str) -> None:
    """Bring the database to `revision`."""
    config = migrations()
    with migration_engine().connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.mark.usefixtures("shipped")
def test_whole_history_can_be_walked_up_and_down() -> None:
    engine, scripts = migration_engine(), walk()
    for _ in range(2):
        for script in scripts:
            upgrade(script.revision)
        assert not differs(engine)
        downgrade(engine, "base")
        with engine.connect() as connection:
            left = set(connection.exec_driver_sql(LEFT).scalars())
        assert left == {"alembic_version", "_alembic_version", "alembic_version_pkc"}


def test_step_back_undoes_the_newest_revision(runner: FlaskCliRunner, sql: Sql) -> None:
    assert runner.invoke(args=["db", "newest"]).output == "20260102_101334_create_crews.py\n"
    run = runner.invoke(args=["db", "stepback"])
    assert "Undone: web/migrations/versions/20260102_101334_create_crews.py" in run.output
    assert sql("SELECT version_num FROM alembic_version") == ["aaaaaaaaaaaa"]
    assert sql("SELECT to_regclass('crews')::text") == [None]


def test_step_back_holds_the_lock(development: Flask, locked: Callable[[str], list[bool]]) -> None:
    told = locked("slipway.migrations.history.downgrade")
    stepback()
    assert told == [True]


def test_step_back_from_nothing_is_told(development: Flask, runner: FlaskCliRunner) -> None:
    downgrade(migration_engine(), "base")
    for name in ("newest", "stepback"):
        run = runner.invoke(args=["db", name])
        assert run.exit_code == 1
        assert "there is nothing to undo: the database has had no migration" in run.output


def test_step_back_from_what_the_code_does_not_have_is_told(development: Flask, sql: Sql) -> None:
    sql("UPDATE alembic_version SET version_num = 'of_tomorrow'")
    with pytest.raises(NotPreparedError, match="the migration of_tomorrow, which this code does not have"):
        stepback()


def test_step_back_that_fails_changes_nothing(development: Flask, sql: Sql) -> None:
    sql("CREATE VIEW crews_by_a_test AS SELECT * FROM crews")
    with pytest.raises(NotPreparedError, match=r"create_crews\.py could not be undone, and stays:"):
        stepback()
    assert sql("SELECT to_regclass('crews')::text") == ["crews"]


def test_revisions_tell_where_the_database_is(development: Flask) -> None:
    assert list(revisions()) == [
        "2026-01-01 10:13:34  aaaaaaaaaaaa  applied  create notes",
        "2026-01-02 10:13:34  bbbbbbbbbbbb  applied  create crews  <- the database is here",
        "The database has had them all.",
    ]


def test_revisions_tell_what_is_due(runner: FlaskCliRunner) -> None:
    runner.invoke(args=["db", "stepback"])
    lines = runner.invoke(args=["db", "revisions"]).output.splitlines()
    assert lines[0].endswith("applied  create notes  <- the database is here")
    assert lines[1].endswith("due      create crews")
    assert lines[2] == "1 is due; make up applies it."


def test_revisions_tell_a_database_that_is_ahead(development: Flask, sql: Sql) -> None:
    sql("UPDATE alembic_version SET version_num = 'of_tomorrow'")
    *_, last = revisions()
    assert last == "The database is ahead: it has had of_tomorrow, which this code does not have."


@pytest.fixture
def crews(development: Flask) -> Path:
    """The file of the newest migration."""
    [path] = Path(development.extensions["migrate"].directory).glob("versions/*_create_crews.py")
    return path


def last_line(run: Result) -> str:
    """Return the last line of what a command that failed has told."""
    assert run.exit_code == 1
    return run.output.splitlines()[-1]


@pytest.mark.parametrize("name", ["newest", "stepback", "revisions", "lint", "evolve"])
def test_revision_that_cannot_be_loaded_is_named(runner: FlaskCliRunner, crews: Path, name: str) -> None:
    crews.write_text(f"import nothing_such\n{crews.read_text()}")
    told = last_line(runner.invoke(args=["db", name]))
    assert told.startswith(
        f"Error: web/migrations/versions/{crews.name} cannot be loaded: ModuleNotFoundError("
    )


def test_revision_that_is_due_and_cannot_be_loaded_is_named(runner: FlaskCliRunner, crews: Path) -> None:
    downgrade(migration_engine(), "-1")
    crews.write_text(f"import nothing_such\n{crews.read_text()}")
    told = last_line(runner.invoke(args=["db", "prepare"]))
    assert told.startswith(
        f"Error: web/migrations/versions/{crews.name} cannot be loaded: ModuleNotFoundError("
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def (", "cannot be loaded: SyntaxError("),
        ("\0", "cannot be read (source code string cannot contain null bytes"),
        ("revision = 'bbbbbbbbbbbb'", "cannot be read ('down_revision'"),
    ],
)
def test_revision_that_is_none_is_named(runner: FlaskCliRunner, crews: Path, text: str, told: str) -> None:
    crews.write_text(text)
    line = last_line(runner.invoke(args=["db", "revisions"]))
    assert line.startswith(f"Error: web/migrations/versions/{crews.name} {told}")


def test_revision_that_is_missing_is_named(runner: FlaskCliRunner, crews: Path) -> None:
    crews.write_text(crews.read_text().replace("aaaaaaaaaaaa", "cccccccccccc"))
    assert "comes after cccccccccccc, which is not there" in last_line(
        runner.invoke(args=["db", "revisions"])
    )


def test_migrate_of_manage_py_writes_no_empty_revision(development: Flask, runner: FlaskCliRunner) -> None:
    before, folder = list(revisions()), development.extensions["migrate"].directory
    assert runner.invoke(args=["db", "migrate", "--directory", folder]).exit_code == 0
    assert list(revisions()) == before
    runner.invoke(args=["db", "revision", "--directory", folder, "--message", "by hand"])
    assert len(list(revisions())) == len(before) + 1
