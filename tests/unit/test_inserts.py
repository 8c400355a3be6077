"""A new record that is stored alone is what the unit of work would have stored."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Numeric,
    event,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, SessionTransaction, mapped_column, relationship

from app.extensions import db
from app.inserts import program_of

MINE = 7


class Base(DeclarativeBase):
    """Apart from the app's models."""


class Owner(Base):
    """What samples refer to."""

    __tablename__ = "owners"

    id: Mapped[int] = mapped_column(primary_key=True)


class Sample(Base):
    """A record with columns of each type, and with defaults of each kind."""

    __tablename__ = "samples"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    title: Mapped[str | None] = mapped_column("name", unique=True)
    price: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    key: Mapped[UUID] = mapped_column(default=uuid4)
    mine: Mapped[int] = mapped_column(default=lambda: MINE)
    fixed: Mapped[str] = mapped_column(default="as ever")
    twice: Mapped[str | None] = mapped_column(
        default=lambda context: 2 * (context.get_current_parameters()["name"] or "")
    )
    body: Mapped[str] = mapped_column(server_default="nothing")
    moment: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True), server_default=func.now())
    details: Mapped[Any | None] = mapped_column(JSON)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owners.id"))
    owner: Mapped[Owner | None] = relationship()
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version, "eager_defaults": True}


class Counted(Base):
    """A record with a default that asks the database."""

    __tablename__ = "counted"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    position: Mapped[int] = mapped_column(
        default=lambda: (db.session.scalar(select(func.max(Counted.position))) or 0) + 1
    )


class Logged(Base):
    """A record with a default that writes something down."""

    __tablename__ = "logged"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(default=lambda: LOG())


LOG: Callable[[], str] = str


def log_record() -> str:
    """Add a record."""
    db.session.add(Simple(title="logged"))
    return "by a record"


def log_statement() -> str:
    """Change the database."""
    db.session.execute(insert(Simple).values(title="logged", version=1, mine=1, fixed=""))
    return "by a statement"


class Spaced(Base):
    """A record with a column whose name has a blank."""

    __tablename__ = "spaced"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    due: Mapped[Any] = mapped_column("due date", JSON)


class Simple(Base):
    """A record without a default that looks at the others."""

    __tablename__ = "simple"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    title: Mapped[str | None] = mapped_column("name", unique=True)
    price: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    key: Mapped[UUID | None]
    mine: Mapped[int] = mapped_column(default=lambda: MINE)
    fixed: Mapped[str] = mapped_column(default="as ever")
    body: Mapped[str] = mapped_column(server_default="nothing")
    moment: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    details: Mapped[Any | None] = mapped_column(JSON)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version, "eager_defaults": True}


COLUMNS = [column.key for column in inspect(Simple).column_attrs]


@pytest.fixture
def writing(own_app: Flask) -> Iterator[None]:
    """A request that writes, by the app's real connections."""
    Base.metadata.create_all(db.engine)
    with own_app.test_request_context(method="POST"):
        yield


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The models of the records that are stored alone."""
    seen: list[Any] = []

    def note(mapper: Any, *what: Any) -> Any:
        seen.append(mapper.class_)
        return program_of(mapper, *what)

    monkeypatch.setattr("app.inserts.program_of", note)
    return seen


def add(*records: Any) -> None:
    """Store records as views do."""
    db.session.add_all(records)
    db.session.commit()


def values(record: Simple) -> dict[str, Any]:
    """Return what a record has, but for its number."""
    return {name: getattr(record, name) for name in COLUMNS if name != "id"}


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
GIVEN: dict[str, st.SearchStrategy[Any]] = {
    "price": st.none() | st.decimals(-(10**6) + 1, 10**6 - 1, places=2),
    "key": st.none() | st.uuids(),
    "mine": st.none() | st.integers(-(2**31), 2**31 - 1),
    "fixed": st.none() | TEXT,
    "body": st.none() | TEXT,
    "moment": st.none()
    | st.datetimes(timezones=st.just(dt.UTC), min_value=dt.datetime.fromisoformat("0002-01-01T00:00")),
    "details": st.none() | st.recursive(st.integers() | st.text("ab"), st.lists, max_leaves=3),
}


@pytest.mark.usefixtures("writing")
@settings(max_examples=40)
@given(st.fixed_dictionaries({}, optional=GIVEN))
def test_record_is_what_the_unit_of_work_stores(given: dict[str, Any]) -> None:
    db.session.remove()
    alone, beside, by_orm = Simple(**given), Simple(), Simple(**given)
    add(alone)
    add(beside, by_orm)
    assert values(alone) == values(by_orm)
    numbers = (alone.id, by_orm.id)
    db.session.remove()
    again = [db.session.scalars(select(Simple).where(Simple.id == number)).one() for number in numbers]
    assert values(again[0]) == values(again[1])


@pytest.mark.usefixtures("writing")
def test_record_is_the_sessions_own(alone: list[Any]) -> None:
    record = Simple(title="a")
    add(record)
    assert alone == [Simple]
    assert inspect(record).persistent
    record.title = "b"
    db.session.commit()
    assert record.version == 2
    db.session.remove()
    assert db.session.scalars(select(Simple.title)).all() == ["b"]


@pytest.mark.usefixtures("writing")
def test_conflict_leaves_the_session_as_it_was(alone: list[Any]) -> None:
    with db.engine.begin() as connection:
        connection.execute(insert(Simple).values(title="a", version=1, mine=1, fixed=""))
    with pytest.raises(IntegrityError) as told:
        add(Simple(title="a"))
    assert alone == [Simple]
    assert told.value.orig.diag.constraint_name == "simple_name_key"
    db.session.rollback()
    assert not db.session.new
    add(Simple(title="b"))
    assert db.session.scalars(select(Simple.title).order_by("name")).all() == ["a", "b"]


@pytest.mark.usefixtures("writing")
def test_default_that_looks_at_other_values_is_given_them() -> None:
    record = Sample(title="a")
    add(record)
    assert record.twice == "aa"


@pytest.mark.usefixtures("writing")
def test_what_is_not_alone_is_in_one_transaction() -> None:
    first, second = Simple(title="a"), Simple(title="a")
    with pytest.raises(IntegrityError):
        add(first, second)
    db.session.rollback()
    assert db.session.scalars(select(Simple)).all() == []


@pytest.mark.usefixtures("writing")
def test_change_beside_is_stored_too() -> None:
    first = Simple(title="a")
    add(first)
    first.title = "b"
    add(Simple(title="c"))
    db.session.remove()
    assert db.session.scalars(select(Simple.title).order_by("name")).all() == ["b", "c"]


@pytest.mark.usefixtures("writing")
def test_what_a_record_refers_to_is_stored_first() -> None:
    record = Sample(owner=Owner(id=5))
    add(record)
    assert record.owner_id == 5


@pytest.mark.usefixtures("writing")
def test_value_that_is_an_expression_is_the_databases() -> None:
    record = Simple(title=func.lower("A"))
    add(record)
    assert record.title == "a"


@pytest.mark.usefixtures("writing")
def test_who_watches_records_sees_each() -> None:
    seen: list[Any] = []

    def watch(*what: Any) -> None:
        seen.append(what)

    event.listen(Simple, "before_insert", watch)
    try:
        add(Simple())
    finally:
        event.remove(Simple, "before_insert", watch)
    assert len(seen) == 1


@pytest.mark.usefixtures("writing")
def test_record_after_another_change_is_in_its_transaction(alone: list[Any]) -> None:
    db.session.execute(select(func.pg_advisory_xact_lock(1)))
    add(Simple())
    assert not alone


@pytest.mark.usefixtures("writing")
def test_default_that_asks_the_database_is_stored_once() -> None:
    for _ in range(3):
        add(Counted())
        db.session.remove()
    assert db.session.scalars(select(Counted.position).order_by("position")).all() == [1, 2, 3]


@pytest.mark.usefixtures("writing")
@pytest.mark.parametrize("log", [log_record, log_statement])
def test_what_a_default_has_changed_is_stored(
    alone: list[Any], log: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.LOG", log)
    add(Logged())
    assert alone[0] is Logged
    db.session.remove()
    assert db.session.scalars(select(Simple.title)).all() == ["logged"]


@pytest.mark.usefixtures("writing")
def test_column_whose_name_has_a_blank_is_stored() -> None:
    add(Spaced(due=[1]))
    db.session.remove()
    assert db.session.scalars(select(Spaced.due)).all() == [[1]]


@pytest.mark.usefixtures("writing")
def test_value_stays_as_it_was_given() -> None:
    moment = dt.datetime.fromisoformat("2024-01-01T00:00+02:00")
    record = Simple(price=Decimal("1.5"), moment=moment)
    add(record)
    assert (str(record.price), record.moment) == ("1.5", moment)
    assert record.moment is moment


@pytest.mark.usefixtures("writing")
def test_who_listens_to_commits_sees_what_is_new() -> None:
    seen: list[Any] = []
    event.listen(db.session(), "before_commit", lambda session: seen.extend(session.new))
    record = Simple()
    add(record)
    assert seen == [record]


@pytest.mark.usefixtures("writing")
def test_who_listens_for_the_end_of_commits_is_told(alone: list[Any]) -> None:
    ended: list[Any] = []
    event.listen(db.session(), "after_commit", ended.append)
    add(Simple())
    assert alone == [Simple]
    assert ended == [db.session()]


@pytest.mark.usefixtures("writing")
def test_no_transaction_is_left(alone: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(SessionTransaction, "commit")  # there is nothing to commit
    add(Simple())
    assert alone == [Simple]
    assert not db.session().in_transaction()


@pytest.mark.usefixtures("writing")
def test_record_expires_where_that_is_wanted(alone: list[Any]) -> None:
    db.session().expire_on_commit = True
    record = Simple()
    add(record)
    assert alone == [Simple]
    assert inspect(record).expired
