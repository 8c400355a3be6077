"""Lists of records that are rows until somebody looks at them: to be JSON they need none."""

from collections import UserList
from collections.abc import Iterable, Iterator
from functools import cached_property
from operator import itemgetter
from typing import Any, Self

from sqlalchemy.orm import Session

from .light import Plan


class Rows(UserList[Any]):
    """A list of records, which are made when it is first looked at.

    Its session looks before it does anything else, so that nobody can tell.
    """

    plan: Plan
    session: Session
    rows: list[Any]

    @classmethod
    def of(cls, plan: Plan, session: Session, rows: list[Any]) -> Self:
        """Return the list of the records of `session` that are in `rows`, which `plan` has read."""
        made = cls.__new__(cls)
        made.plan, made.session, made.rows = plan, session, rows
        return made

    @cached_property
    def data(self) -> list[Any]:  # type: ignore[override] # an attribute of UserList
        """The records."""
        return self.plan.records(self.session, self.rows)

    @property
    def are_records(self) -> bool:
        """Whether somebody has looked at the list, or made it of records."""
        return "data" in self.__dict__

    def __len__(self) -> int:
        return len(self.data if self.are_records else self.rows)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.data)

    def __delitem__(self, place: Any) -> None:
        del (self.data if self.are_records else self.rows)[place]

    def __reduce__(self) -> Any:
        return type(self), (self.data,)

    __copy__ = UserList.copy

    def last(self, name: str) -> Any:
        """Return an attribute of the last record that is a column's."""
        if self.are_records:
            return getattr(self.data[-1], name)
        return self.rows[-1][self.plan.keys.index(name)]

    def values(self, names: Iterable[str], model: type) -> Iterable[tuple[Any, ...]] | None:
        """Return the values of two or more attributes of each record of `model`.

        None where the records are to be asked: they are there, or of another model, or an attribute is no
        column.
        """
        if self.are_records or not issubclass(self.plan.mapper.class_, model):
            return None
        try:
            return map(itemgetter(*map(self.plan.keys.index, names)), self.rows)
        except ValueError:
            return None
