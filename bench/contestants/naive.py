"""The API of tasks as the documentation of its libraries leads to: ORM entities, OFFSET and COUNT.

It is meant to be a fair program, which a decent developer would write. gunicorn loads it with sync workers.
"""

import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from flask import Flask, g, request
from flask_smorest import Api, Blueprint, abort
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, fields, validate
from marshmallow_sqlalchemy import SQLAlchemyAutoSchema, auto_field
from sqlalchemy import DateTime, ForeignKey, String, func
from sqlalchemy.orm import Mapped, mapped_column

db = SQLAlchemy()


class User(db.Model):  # type: ignore[name-defined] # Flask-SQLAlchemy makes the class at run time
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ApiToken(db.Model):  # type: ignore[name-defined] # see User
    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    digest: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Task(db.Model):  # type: ignore[name-defined] # see User
    __tablename__ = "tasks"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(server_default="")
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    version: Mapped[int] = mapped_column(server_default="1")


class TaskSchema(SQLAlchemyAutoSchema[Task]):
    class Meta:
        model = Task

    id = auto_field(dump_only=True)
    title = auto_field(validate=validate.Length(1, 200))
    created_at = auto_field(dump_only=True)
    updated_at = auto_field(dump_only=True)
    version = auto_field(dump_only=True)


class PageSchema(Schema):
    items = fields.List(fields.Nested(TaskSchema))
    total = fields.Integer()


class PageQuery(Schema):
    page = fields.Integer(load_default=1, validate=validate.Range(1))
    page_size = fields.Integer(load_default=20, validate=validate.Range(1, 100))


def login_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let only those in whose bearer token is known."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        digest = hashlib.sha256(token.encode()).digest()
        known = db.select(User).join(ApiToken, ApiToken.user_id == User.id)
        g.user = db.session.scalar(known.where(ApiToken.digest == digest, ApiToken.expires_at > func.now()))
        if g.user is None:
            abort(401)
        return view(*args, **kwargs)

    return guarded


blueprint = Blueprint("tasks", __name__, url_prefix="/api/tasks")


@blueprint.get("")
@login_required
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, PageSchema)
def index(query: dict[str, int]) -> Any:
    """List tasks."""
    mine = db.select(Task).where(Task.owner_id == g.user.id).order_by(Task.id.desc())
    page = db.paginate(mine, page=query["page"], per_page=query["page_size"])
    return {"items": page.items, "total": page.total}


@blueprint.get("/<int:task_id>")
@login_required
@blueprint.response(200, TaskSchema)
def show(task_id: int) -> Any:
    """Show a task."""
    return db.one_or_404(db.select(Task).where(Task.owner_id == g.user.id, Task.id == task_id))


@blueprint.post("")
@login_required
@blueprint.arguments(TaskSchema)
@blueprint.response(201, TaskSchema)
def create(data: dict[str, Any]) -> Any:
    """Create a task."""
    task = Task(**data, owner_id=g.user.id)
    db.session.add(task)
    db.session.commit()
    return task


def create_app() -> Flask:
    """Return the app."""
    app = Flask(__name__)
    url = os.environ["DATABASE_URL"]
    app.config["SQLALCHEMY_DATABASE_URI"] = url.replace("postgresql:", "postgresql+psycopg2:", 1)
    app.config |= {"API_TITLE": "Tasks", "API_VERSION": "1", "OPENAPI_VERSION": "3.1.0"}
    db.init_app(app)
    Api(app).register_blueprint(blueprint)
    return app
