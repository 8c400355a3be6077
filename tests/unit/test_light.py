"""Records that come by a plan are those that the ORM loads, and the session's own."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    Boolean,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    Numeric,
    Select,
    bindparam,
    case,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    aliased,
    mapped_column,
    relationship,
    selectinload,
)

from app.extensions import db
from app.light import PLANS, Plan, connect, make_plan
from app.notes.models import Note


class Base(DeclarativeBase):
    """Apart from the app's models."""


class Owner(Base):
    """What samples refer to."""

    __tablename__ = "owners"

    id: Mapped[int] = mapped_column(primary_key=True)


class Sample(Base):
    """A record with a column of each type, one of them under another name."""

    __tablename__ = "samples"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str | None] = mapped_column("name")
    weight: Mapped[float | None]
    price: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    found: Mapped[bool | None]
    key: Mapped[UUID | None]
    day: Mapped[dt.date | None]
    hour: Mapped[dt.time | None]
    moment: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    details: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[str | None] = mapped_column(Enum("draft", "sent", native_enum=False))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owners.id"))
    owner: Mapped[Owner | None] = relationship()


class Heavy(Base):
    """A record that is not loaded whole."""

    __tablename__ = "heavy"

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(deferred=True)


class Eager(Base):
    """A record that is loaded with another."""

    __tablename__ = "eager"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"))
    owner: Mapped[Owner] = relationship(lazy="joined")


BY_ID = select(Sample).where(Sample.id == bindparam("key"))
BY_KEY = select(Sample).where(Sample.key == bindparam("key"))
NAMES = [column.key for column in inspect(Sample).column_attrs]


@pytest.fixture
def reading(app: Flask) -> Iterator[None]:
    """A request that reads, with the tables of this file."""
    with app.test_request_context():
        Base.metadata.create_all(db.engine)
        PLANS.update(dict.fromkeys((BY_ID, BY_KEY), True))
        yield


def store(**values: Any) -> None:
    """Insert a sample beside the session."""
    connection: Any = db.engine  # for which a connection stands in
    connection.execute(insert(Sample), [{"id": 1} | values])


MIN = dt.datetime.fromisoformat("0002-01-01T00:00")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "title": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    "weight": st.floats(allow_nan=False),
    "price": st.decimals(-(10**6) + 1, 10**6 - 1, places=2),
    "found": st.booleans(),
    "key": st.uuids(),
    "day": st.dates(),
    "hour": st.times(),
    "moment": st.datetimes(timezones=st.just(dt.UTC), min_value=MIN),
    "details": st.recursive(st.integers() | st.booleans(), st.lists, max_leaves=3),
    "state": st.sampled_from(["draft", "sent"]),
}


@pytest.mark.usefixtures("reading")
@given(st.fixed_dictionaries({name: values | st.none() for name, values in VALUES.items()}))
def test_record_is_what_the_orm_loads(values: dict[str, Any]) -> None:
    db.session.remove()
    connection: Any = db.engine
    connection.execute(text("DELETE FROM samples"))  # of the example before
    store(**values)
    by_plan = db.session.scalar(BY_ID, {"key": 1})
    planned = {name: by_plan.__dict__[name] for name in NAMES}
    db.session.remove()
    by_orm = db.session.scalar(BY_ID, {"key": 1}, execution_options={"populate_existing": True})
    assert planned == {name: getattr(by_orm, name) for name in NAMES}


@pytest.mark.usefixtures("reading")
def test_parameter_is_sent_as_its_column_wants_it() -> None:
    store(key=UUID(int=7))
    assert db.session.scalar(BY_KEY, {"key": UUID(int=7)}).id == 1


@pytest.mark.usefixtures("reading")
def test_record_is_the_sessions_own() -> None:
    store(title="a")
    record = db.session.scalar(BY_ID, {"key": 1})
    assert inspect(record).persistent
    assert db.session.scalar(BY_ID, {"key": 1}) is record
    assert db.session.get(Sample, 1) is record


@pytest.mark.usefixtures("reading")
def test_relationship_of_a_record_is_loaded() -> None:
    connection: Any = db.engine
    connection.execute(insert(Owner), [{"id": 5}])
    store(owner_id=5)
    assert db.session.scalar(BY_ID, {"key": 1}).owner.id == 5


@pytest.mark.usefixtures("reading")
def test_change_of_a_record_is_stored() -> None:
    store(title="a")
    db.session.scalar(BY_ID, {"key": 1}).title = "b"
    db.session.commit()
    assert db.session.scalars(select(Sample.title)).all() == ["b"]


@pytest.mark.usefixtures("reading")
def test_what_was_changed_before_is_found() -> None:
    db.session.add(Sample(id=1, title="of this session"))
    assert db.session.scalar(BY_ID, {"key": 1}).title == "of this session"


@pytest.mark.usefixtures("reading")
def test_what_is_not_there_is_none() -> None:
    assert db.session.scalar(BY_ID, {"key": 404}) is None
    assert db.session.scalars(BY_ID, {"key": 404}).all() == []


@pytest.mark.usefixtures("reading")
def test_record_that_an_outer_join_does_not_find_is_none() -> None:
    store(owner_id=None)
    joined = select(Owner).select_from(Sample).outerjoin(Owner)
    PLANS[joined] = True
    assert [*db.session.scalars(joined)] == [None]


@pytest.mark.usefixtures("reading")
def test_statement_that_comes_once_is_the_orms() -> None:
    once = select(Sample)
    db.session.scalars(once)
    assert not isinstance(PLANS[once], Plan)
    db.session.remove()
    db.session.scalars(once)
    assert isinstance(PLANS[once], Plan)


@pytest.mark.usefixtures("reading")
def test_who_watches_statements_sees_each() -> None:
    seen: list[Any] = []
    event.listen(db.session(), "do_orm_execute", lambda state: seen.append(state))
    db.session.scalar(BY_ID, {"key": 1})
    assert len(seen) == 1


@pytest.mark.parametrize(
    "statement",
    [
        select(Sample.id),
        select(Sample, Owner),
        select(aliased(Sample)),
        select(func.count(Sample.id)),
        select(Sample).options(selectinload(Sample.owner)),
        select(Sample).execution_options(populate_existing=True),
        select(Sample).where(Sample.id.in_(bindparam("ids", expanding=True))),
        select(Heavy),
        select(Eager),
    ],
)
@pytest.mark.usefixtures("reading")
def test_what_is_not_plain_has_no_plan(statement: Select[Any]) -> None:
    assert make_plan(statement, db.engine) is None


@pytest.mark.usefixtures("reading")
def test_error_of_the_database_is_told_as_the_orm_does() -> None:
    faulty = select(Sample).where(1 / bindparam("zero", type_=Integer) == 1)
    PLANS[faulty] = True
    with pytest.raises(DataError, match="division by zero") as told:
        db.session.scalars(faulty, {"zero": 0})
    assert "SELECT samples.id" in (told.value.statement or "")


def test_database_that_is_away_is_told_as_the_orm_does() -> None:
    nowhere = create_engine("postgresql+psycopg2://nobody@/nothing?host=/nowhere")
    with pytest.raises(OperationalError, match="connection to server"):
        connect(nowhere)


def test_connection_that_breaks_is_replaced(own_app: Flask) -> None:
    kill = func.pg_terminate_backend(func.pg_backend_pid())
    breaking = select(Note).where(case((bindparam("broken", type_=Boolean), kill), else_=True))
    PLANS[breaking] = True
    with own_app.test_request_context():
        db.session.add(Note(title="a"))
        db.session.commit()
        assert len(db.session.scalars(breaking, {"broken": False}).all()) == 1
        with pytest.raises(OperationalError):
            db.session.scalars(breaking, {"broken": True})
        db.session.remove()
        assert len(db.session.scalars(breaking, {"broken": False}).all()) == 1
