import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, NullPool, create_engine, func, select, text

from config import TestingConfig
from manage import make
from slipway.migrations.state import NotPreparedError, SchemaState, known_revisions, schema_state
from slipway.migrations.upgrade import LOCK, lock, migration_engine, prepare
from tests.support import PATIENCE

Settings = Callable[[str], dict[str, str]]

SHELL = """
from alembic import op
revision = "{revision}"
down_revision = {down!r}
branch_labels = depends_on = None
{line}
def upgrade():
    {upgrade}
def downgrade():
    pass
"""


@pytest.fixture
def fresh(database: str, settings: Settings) -> Flask:
    """An app on an empty database."""
    return make(TestingConfig(settings(database)))


@pytest.fixture
def write_migration(fresh: Flask, tmp_path: Path) -> Callable[..., None]:
    """Return a function that writes a migration into a history of the test's own."""
    state = fresh.extensions["migrate"]
    source, copy = Path(state.directory), tmp_path / "migrations"
    (copy / "versions").mkdir(parents=True)
    for name in ("env.py", "alembic.ini", "script.py.mako"):
        (copy / name).write_text((source / name).read_text())
    state.directory, fresh.root_path = str(copy), str(tmp_path / "app")

    def write(revision: str, upgrade: str, down: str | None = None, line: str = "") -> None:
        path = copy / "versions" / f"{revision}.py"
        path.write_text(SHELL.format(revision=revision, upgrade=upgrade, down=down, line=line))

    return write


def revisions(app: Flask) -> list[str]:
    """Return what the database says that it has had."""
    with app.app_context(), migration_engine().connect() as connection:
        return list(connection.scalars(text("SELECT version_num FROM alembic_version")))


def test_prepare_migrates_an_empty_database(fresh: Flask) -> None:
    with fresh.app_context():
        prepare()
        with migration_engine().connect() as connection:
            assert schema_state(connection) is SchemaState.CURRENT


def test_prepare_migrates_once_however_many_start(
    fresh: Flask, write_migration: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "app.prepare")
    write_migration("one", 'op.execute("CREATE TABLE t (); SELECT pg_sleep(0.5)")')
    barrier, errors = threading.Barrier(3), []

    def start() -> None:
        barrier.wait()
        try:
            with fresh.app_context():
                prepare()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [r.getMessage() for r in caplog.records].count("the schema has been migrated") == 1


def test_failing_migration_is_named_and_leaves_nothing(
    fresh: Flask, write_migration: Callable[..., None]
) -> None:
    write_migration("good", 'op.execute("CREATE TABLE kept ()")')
    write_migration("bad", 'op.execute("CREATE TABLE half ()"); op.execute("SELECT nothing")', down="good")
    with fresh.app_context():
        with pytest.raises(
            NotPreparedError, match=r'migration bad\.py failed(.|\n)*"nothing" does not exist'
        ):
            prepare()
        with migration_engine().connect() as connection:
            tables = "SELECT tablename FROM pg_tables WHERE tablename IN ('kept', 'half')"
            assert list(connection.scalars(text(tables))) == ["kept"]
    assert revisions(fresh) == ["good"]


@pytest.fixture
def in_use(fresh: Flask, write_migration: Callable[..., None]) -> Flask:
    """The app on a database that has had a migration; two are due, of which the last is incompatible."""
    write_migration("one", "pass")
    with fresh.app_context():
        prepare()
    known_revisions.cache_clear()
    write_migration("two", "pass", down="one")
    write_migration("three", "pass", "two", "backward_compatible = False")
    return fresh


def test_migration_that_fails_the_web_that_serves_is_refused_beside_it(in_use: Flask) -> None:
    run = in_use.test_cli_runner().invoke(args=["db", "prepare", "--beside"])
    assert run.exit_code == 1
    assert "Error: web/migrations/versions/three.py is not backward compatible: the web that" in run.output
    assert "say backward_compatible = True in it; or type make deploy accept=incompatible" in run.output
    assert revisions(in_use) == ["one"]


def test_migration_that_fails_the_web_that_serves_runs_without_it(in_use: Flask) -> None:
    assert in_use.test_cli_runner().invoke(args=["db", "prepare"]).exit_code == 0
    assert revisions(in_use) == ["three"]


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--ahead-fails"], 3)])
def test_schema_that_is_newer_than_the_code_is_told_by_the_exit_status(
    in_use: Flask, options: list[str], status: int
) -> None:
    with in_use.app_context(), migration_engine().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'of_tomorrow'"))
    assert in_use.test_cli_runner().invoke(args=["db", "prepare", *options]).exit_code == status


def test_refusal_names_the_first_that_is_due(in_use: Flask, write_migration: Callable[..., None]) -> None:
    write_migration("four", "pass", "three", "backward_compatible = False")
    with in_use.app_context(), pytest.raises(NotPreparedError, match=r"versions/three\.py is not"):
        prepare(beside=True)


def test_incompatible_migration_that_was_had_is_not_refused(
    in_use: Flask, write_migration: Callable[..., None]
) -> None:
    with in_use.app_context():
        prepare()
        known_revisions.cache_clear()
        write_migration("four", "pass", down="three")
        prepare(beside=True)
    assert revisions(in_use) == ["four"]


@pytest.mark.parametrize("said", ["", "backward_compatible = True"])
def test_compatible_migration_runs_beside_the_web_that_serves(
    in_use: Flask, write_migration: Callable[..., None], said: str
) -> None:
    write_migration("three", "pass", down="two", line=said)
    with in_use.app_context():
        prepare(beside=True)
    assert revisions(in_use) == ["three"]


def test_nothing_is_refused_beside_an_empty_database(
    fresh: Flask, write_migration: Callable[..., None]
) -> None:
    write_migration("one", "pass", line="backward_compatible = False")
    with fresh.app_context():
        prepare(beside=True)
    assert revisions(fresh) == ["one"]


def test_refusal_is_decided_under_the_lock(in_use: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(engine: Engine) -> None:
        with engine.connect() as connection:
            told.append(connection.scalar(select(func.pg_try_advisory_lock(LOCK))))

    told: list[bool | None] = []
    monkeypatch.setattr("slipway.migrations.upgrade.refuse_incompatible", look)
    with in_use.app_context():
        prepare(beside=True)
    assert told == [False]


def test_several_heads_are_told_with_what_to_do(fresh: Flask, write_migration: Callable[..., None]) -> None:
    write_migration("one", "pass")
    write_migration("two", "pass")
    with (
        fresh.app_context(),
        pytest.raises(NotPreparedError, match=r'one, two.* make flask A="db merge heads"'),
    ):
        prepare()


@pytest.mark.parametrize(
    ("upgrade", "down", "told"),
    [("pass", "nowhere", "comes after nowhere"), ("no python", None, r"one\.py cannot be read")],
)
def test_migration_that_cannot_be_read_is_told(
    fresh: Flask, write_migration: Callable[..., None], upgrade: str, down: str | None, told: str
) -> None:
    write_migration("one", upgrade, down)
    with fresh.app_context(), pytest.raises(NotPreparedError, match=told):
        prepare()


def test_index_is_created_concurrently_while_others_wait_for_the_lock(
    fresh: Flask, write_migration: Callable[..., None]
) -> None:
    write_migration("table", 'op.execute("CREATE TABLE t (a int)")')
    write_migration(
        "index",
        'with op.get_context().autocommit_block(): op.execute("CREATE INDEX CONCURRENTLY i ON t (a)")',
        down="table",
    )

    def start() -> None:
        with fresh.app_context():
            prepare()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert revisions(fresh) == ["index"]


def test_newer_schema_is_served(fresh: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with fresh.app_context():
        prepare()
        with migration_engine().begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'of_tomorrow'"))
        prepare()
    assert revisions(fresh) == ["of_tomorrow"]
    assert "newer than this code" in caplog.text


def test_lock_is_given_back(fresh: Flask) -> None:
    with fresh.app_context():
        engine = migration_engine()
        with lock(engine):
            pass
        with engine.connect() as connection:
            assert connection.scalar(select(func.pg_try_advisory_lock(LOCK))) is True


def test_database_that_does_not_answer_is_waited_for_and_told(settings: Settings) -> None:
    environment = settings("postgresql://nobody@127.0.0.1:1/nothing") | {"DATABASE_WAIT": "1"}
    with (
        make(TestingConfig(environment)).app_context(),
        pytest.raises(NotPreparedError, match=r"no answer from .*127\.0\.0\.1:1/nothing in 1 s: .*refused"),
    ):
        prepare()


@pytest.fixture
def stranger(database: str) -> Iterator[str]:
    """The URL of a database with a user who needs a password, and a wrong one."""
    admin = create_engine(database, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text("CREATE ROLE stranger LOGIN PASSWORD 'right'"))
        hba = Path(str(connection.scalar(text("SHOW hba_file"))))
        original = hba.read_text()
        hba.write_text("local all stranger scram-sha-256\n" + original)
        connection.execute(text("SELECT pg_reload_conf()"))
    yield database.replace("postgres:@", "stranger:wrong-one@")
    hba.write_text(original)
    with admin.connect() as connection:
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text("DROP ROLE stranger"))


def test_wrong_password_is_told_with_what_to_do(stranger: str, settings: Settings) -> None:
    app = make(TestingConfig(settings(stranger)))
    with app.app_context(), pytest.raises(NotPreparedError) as caught:
        prepare()
    assert "refuses the password" in str(caught.value)
    assert "data is untouched" in str(caught.value)
    assert "wrong-one" not in str(caught.value)


def test_unknown_database_is_told_at_once(database: str, settings: Settings) -> None:
    url = database.replace("/scratch", "/elsewhere")
    app = make(TestingConfig(settings(url)))
    with app.app_context(), pytest.raises(NotPreparedError, match="does not exist"):
        prepare()
