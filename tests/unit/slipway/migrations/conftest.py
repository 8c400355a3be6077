"""A development with models and migrations of its own, which a test may change."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import BigInteger, Column, Engine, Identity, MetaData, String, Table, Text, text

from config import TestingConfig
from manage import make
from slipway.db.models import NAMES
from slipway.migrations.state import known_revisions
from slipway.migrations.upgrade import migration_engine
from tests.unit.conftest import admin, named, scratch

CREATE_NOTES = """
op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
"""
CREATE_CREWS = """
op.create_table(
        "crews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crews")),
    )
"""
REVISION = """\"\"\"create {table}\"\"\"
import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {before!r}
depends_on = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    op.drop_table({table!r})
"""


@pytest.fixture(scope="session")
def app_on(settings: Callable[[str], dict[str, str]]) -> Callable[[str], Flask]:
    """Return a function that returns the app on a database: one for each that has another URL."""
    return cache(lambda url: make(TestingConfig(settings(url))))


@pytest.fixture
def notes() -> Table:
    """The table of the notes in the models, which a test may change; there is one of crews, too."""
    return models().tables["notes"]


def models() -> MetaData:
    """Return the models."""
    metadata = MetaData(naming_convention=NAMES)
    Table("crews", metadata, Column("id", BigInteger, Identity(always=True), primary_key=True))
    Table(
        "notes",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("title", String(200), nullable=False),
        Column("body", Text, server_default="", nullable=False),
    )
    return metadata


@pytest.fixture(scope="session")
def migrated(postgres: str) -> str:
    """The name of a database that has had the migrations, to be copied."""
    with admin(postgres) as connection:
        connection.exec_driver_sql("CREATE DATABASE migrated")
    with admin(named(postgres, "migrated")) as connection:
        models().create_all(connection)
        context = MigrationContext.configure(connection)
        context._ensure_version_table()
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": "b" * 12})
    return "migrated"


@pytest.fixture
def copied(postgres: str, migrated: str) -> Iterator[str]:
    """The URL of a copy of that database."""
    with scratch(postgres, migrated) as url:
        yield url


def migration_engine_of(app: Flask) -> Engine:
    """Return an engine for the migrations of an app."""
    with app.app_context():
        return migration_engine()


@pytest.fixture
def development(
    copied: str,
    app_on: Callable[[str], Flask],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    notes: Table,
) -> Iterator[Flask]:
    """An app in a development of its own, with two tables, and a migration for each."""
    app = app_on(copied)
    state = app.extensions["migrate"]
    source, copy = Path(state.directory), tmp_path / "web" / "migrations"
    (copy / "versions").mkdir(parents=True)
    for path in source.glob("*.*"):
        (copy / path.name).write_text(path.read_text())
    before = None
    for table, upgrade, revision in (("notes", CREATE_NOTES, "a" * 12), ("crews", CREATE_CREWS, "b" * 12)):
        text = REVISION.format(table=table, upgrade=upgrade.strip(), revision=revision, before=before)
        day = 1 if before is None else 2
        (copy / "versions" / f"2026010{day}_101334_create_{table}.py").write_text(text)
        before = revision
    monkeypatch.setattr(state, "directory", str(copy))
    engine = migration_engine_of(app)
    monkeypatch.setattr(state, "db", SimpleNamespace(metadata=notes.metadata, engine=engine))
    monkeypatch.setattr(app, "root_path", str(tmp_path / "web" / "app"))
    monkeypatch.setitem(app.config, "DEVELOPMENT", True)
    with app.app_context():
        yield app
    known_revisions.cache_clear()


@pytest.fixture
def shipped(database: str, app_on: Callable[[str], Flask]) -> Iterator[Flask]:
    """The app as it is shipped, on an empty database."""
    app = app_on(database)
    with app.app_context():
        yield app


@pytest.fixture
def written(development: Flask) -> Callable[[], list[str]]:
    """Return a function that returns the texts of the revisions that the test had written, oldest first."""
    folder = Path(development.extensions["migrate"].directory) / "versions"
    before = set(folder.glob("*.py"))
    [head] = known_revisions(folder.parent)[0]

    def read() -> list[str]:
        texts = [path.read_text() for path in set(folder.glob("*.py")) - before]
        chain: list[str] = []
        last = head
        while len(chain) < len(texts):
            chain += [text for text in texts if f"down_revision = '{last}'" in text]
            last = chain[-1].partition("\nrevision = '")[2].partition("'")[0]
        return chain

    return read


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[bool]]:
    """Return a function that has one of the app's only tell, in a list, whether the lock is held."""

    def watch(name: str) -> list[bool]:
        told: list[bool] = []

        def look(*given: object) -> None:
            with migration_engine().connect() as connection:
                query = "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory'"
                told.append(bool(connection.exec_driver_sql(query).scalar()))

        monkeypatch.setattr(name, look)
        return told

    return watch


@pytest.fixture
def sql(development: Flask) -> Callable[[str], list[Any]]:
    """Return a function that executes a statement, and returns the first column of what that returns."""

    def execute(statement: str) -> list[Any]:
        with migration_engine().begin() as connection:
            result = connection.exec_driver_sql(statement)
            return list(result.scalars()) if result.returns_rows else []

    return execute
