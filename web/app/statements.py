"""Statements that are built once and run with other values, so that SQLAlchemy knows them again at once."""

from functools import cache
from typing import Any

from flask import abort
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Select, bindparam, inspect, select
from sqlalchemy.orm import Mapper


@cache
def select_all(model: type) -> Select[Any]:
    """Return the SELECT of the records of `model`."""
    return select(model)


@cache
def select_one(model: type) -> Select[Any]:
    """Return the SELECT of the record of `model` that has the primary key `key`."""
    mapper: Mapper[Any] = inspect(model)
    column = mapper.primary_key[0]
    return select(model).where(column == bindparam("key"))


class Database(SQLAlchemy):
    """Flask-SQLAlchemy, with statements that are built once for the plain questions."""

    @staticmethod
    def select(*what: Any) -> Select[Any]:
        """Return a SELECT of `what`: of a model, always the same one."""
        return select_all(*what) if len(what) == 1 and isinstance(what[0], type) else select(*what)

    def get_or_404(
        self, entity: type[Any], ident: Any, *, description: str | None = None, **options: Any
    ) -> Any:
        """Return the record of `entity` with the primary key `ident`, else answer 404."""
        if options or isinstance(ident, tuple | dict):
            return super().get_or_404(entity, ident, description=description, **options)
        record = self.session.scalar(select_one(entity), {"key": ident})  # type: ignore[arg-type] # classes are hashable
        return abort(404, description) if record is None else record
