"""What is not surely a plain read is not run outside a transaction."""

from typing import Any

import pytest
from sqlalchemy import bindparam, cast, func, insert, literal_column, or_, select, text, tuple_
from sqlalchemy.orm import aliased
from sqlalchemy.types import String

from app.notes.models import Note
from slipway.db.plain_reads import is_plain_read

NOTE = select(Note)
OTHER = aliased(Note)
INSERTED = insert(Note).values(title="a").returning(Note.id).cte()


@pytest.mark.parametrize(
    "statement",
    [
        NOTE,
        NOTE.where(Note.id == bindparam("id"), Note.title.like("a%"), Note.id.in_([1, 2])),
        NOTE.where(or_(Note.body.is_(None), cast(Note.id, String) == "3"), Note.id.between(1, 2)),
        NOTE.join(OTHER, OTHER.id == Note.id).where(~select(OTHER.id).where(OTHER.id == 3).exists()),
        NOTE.where(tuple_(Note.title, Note.id) > tuple_("a", 1))
        .order_by(Note.id.desc())
        .limit(literal_column("21")),
        NOTE.where(func.to_tsvector(text("'simple'"), Note.body).op("@@")(func.to_tsquery("a"))),
        NOTE.where(Note.created_at < func.now(), func.coalesce(func.lower(Note.body), "") != ""),
        select(OTHER),
    ],
    ids=str,
)
def test_plain_read_is_known(statement: Any) -> None:
    assert is_plain_read(statement)


@pytest.mark.parametrize(
    "statement",
    [
        NOTE.with_for_update(),
        NOTE.with_for_update(read=True),
        NOTE.where(select(Note.id).with_for_update().scalar_subquery() == 1),
        NOTE.where(func.set_config("app.user", "a", True) != ""),
        NOTE.where(func.pg_advisory_lock(1).is_(None)),
        NOTE.where(func.abs(func.nextval("sequence")) > 1),
        NOTE.where(func.own.lower(Note.body) == "a"),
        NOTE.where(Note.id.op("<<<")(1)),
        NOTE.where(text("nextval('sequence') > 0")),
        NOTE.where(Note.created_at < literal_column("'now'")),
        NOTE.where(Note.id == literal_column("nextval('sequence')")),
        NOTE.where(Note.id.in_(select(INSERTED.c.id))),
    ],
    ids=str,
)
def test_what_may_do_more_is_not_plain(statement: Any) -> None:
    assert not is_plain_read(statement)
