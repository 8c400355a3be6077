"""The platform, by an app of ten lines outside this repository."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from slipway.commands import init_app
from slipway.db.models import db
from slipway.migrations.state import SchemaState
from slipway.migrations.upgrade import prepare
from tests.copies import ROOT

APP = """
from flask import Flask
import slipway


def create_app(settings: dict) -> Flask:
    return slipway.make_app(__name__, settings, ["things"])
"""
THINGS = """
from slipway import Base, Blueprint, Schema, db, page_of, paginate, query_of
from sqlalchemy.orm import Mapped


class Thing(Base):
    __tablename__ = "things"
    name: Mapped[str]


class ThingSchema(Schema):
    class Meta:
        model = Thing


api = Blueprint("things", __name__, url_prefix="/api/things", description="Things")


@api.get("")
@api.arguments(query_of(ThingSchema), location="query")
@api.response(200, page_of(ThingSchema))
def index(arguments):
    return paginate(db.rows, db.select(Thing), **arguments)


@api.post("")
@api.arguments(ThingSchema)
@api.response(201, ThingSchema)
def create(data):
    return db.rows.insert(Thing, data)
"""
REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade():
    op.create_table(
        "things",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()")),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()")),
        sa.Column("version", sa.Integer(), server_default="1"),
    )
"""


@pytest.fixture
def small_app(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An app of its own, in a folder of its own, whose migrations start with it."""
    (tmp_path / "small").mkdir()
    (tmp_path / "small/__init__.py").write_text(APP)
    (tmp_path / "small/things.py").write_text(THINGS)
    (tmp_path / "migrations/versions").mkdir(parents=True)
    for name in ("env.py", "alembic.ini"):
        (tmp_path / "migrations" / name).write_text((ROOT / "web/migrations" / name).read_text())
    (tmp_path / "migrations/versions/1.py").write_text(REVISION)
    monkeypatch.syspath_prepend(str(tmp_path))
    app: Flask = importlib.import_module("small").create_app(
        {"SECRET_KEY": "small", "SQLALCHEMY_DATABASE_URI": database}
    )
    init_app(app)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    db.metadata.remove(db.metadata.tables["things"])
    for name in [name for name in sys.modules if name.partition(".")[0] == "small"]:
        del sys.modules[name]


def test_small_app_has_a_model_an_api_its_errors_and_migrations(small_app: Flask) -> None:
    assert prepare() is SchemaState.CURRENT
    client = small_app.test_client()
    created = client.post("/api/things", json={"name": "a"})
    assert (created.status_code, created.json["name"]) == (201, "a")
    assert client.get("/api/things?limit=1").json == {"items": [created.json], "next": None}
    refused = client.post("/api/things", json={"nme": "a"})
    assert (refused.status_code, refused.mimetype) == (422, "application/problem+json")
    assert client.get("/readyz").json == {"status": "ok"}
