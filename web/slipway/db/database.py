"""The database of the app: records by its session, rows by Core."""

from functools import cache
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Select, select

from .rows import Rows


@cache
def select_all(model: type) -> Select[Any]:
    """Return the SELECT of the records of `model`."""
    return select(model)


class Database(SQLAlchemy):
    """Flask-SQLAlchemy, with `rows` beside its `session`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.rows = Rows(self)

    @staticmethod
    def select(*what: Any) -> Select[Any]:
        """Return a SELECT of `what`: of a model always the same one, which is compiled once."""
        return select_all(*what) if len(what) == 1 and isinstance(what[0], type) else select(*what)
