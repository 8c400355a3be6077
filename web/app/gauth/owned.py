from functools import cache
from typing import Any, Self

from flask import abort, has_request_context
from sqlalchemy import ForeignKey, Index, Select, bindparam
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from werkzeug.exceptions import Conflict

from ..extensions import db
from .access import get_row
from .models import User, row_of


def present_user_id() -> int:
    """Return the id of the user who is signed in (RuntimeError where nobody is)."""
    row = get_row() if has_request_context() else None
    if row is None:
        raise RuntimeError("nobody is signed in, so owner_id= must say whose the record is")
    user_id: int = row.id
    return user_id


class Owned:
    """A mixin for models: a record belongs to the user who made it, and is unknown to others (404).

    Its views are `login_required`; they read by `owned()` and `owned_or_404()`. A model that has
    `__table_args__` of its own repeats the index, which lists an owner's newest records.
    """

    id: Any

    @declared_attr
    def owner_id(self) -> Mapped[int]:
        """Whose the record is: no client says that."""
        owner = ForeignKey(User.id, ondelete="CASCADE")
        return mapped_column(owner, default=present_user_id, info={"read_only": True})

    @declared_attr.directive
    def __table_args__(self) -> tuple[Index, ...]:
        return (Index(None, "owner_id", "id"),)

    @classmethod
    @cache
    def owned(cls) -> Select[Self]:
        """Return a SELECT of the records of the user who is signed in, whoever that is when it is run."""
        mine = bindparam(None, callable_=present_user_id, type_=User.id.type)
        return db.select(cls).where(cls.owner_id == mine)

    @classmethod
    @cache
    def owned_by_id(cls) -> Select[Self]:
        """Return the SELECT of one of them, by the parameter `id`."""
        return cls.owned().where(cls.id == bindparam("id"))

    @classmethod
    def owned_or_404(cls, record_id: int) -> Self:
        """Return the record `record_id` of the user who is signed in, else answer 404."""
        record: Self | None = db.session.scalar(cls.owned_by_id(), {"id": record_id})
        return abort(404) if record is None else record

    @classmethod
    def check_owned(cls, name: str, data: dict[str, Any]) -> None:
        """Answer 409 where the field `name` of `data` is no record of the user who is signed in, nor null.

        To the database, a record of somebody else would be as good as one of theirs.
        """
        if data.get(name) is None or row_of(cls.owned_by_id(), {"id": data[name]}):
            return
        error = Conflict("The change conflicts with what is stored.")
        error.data = {"messages": {"stored": {name: ["There is no such record."]}}}  # type: ignore[attr-defined] # for the host
        raise error
