"""Rows are what the database has, by statements that stand alone unless the session is in a transaction."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    CHAR,
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Numeric,
    String,
    TypeDecorator,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship, validates
from werkzeug.exceptions import NotFound

from app.extensions import db
from app.notes.models import Note
from slipway.db.prepared_statements import Kept
from slipway.db.rows import Row, alone
from tests.support import PATIENCE


class Base(DeclarativeBase):
    """Apart from the app's models."""


class Lower(TypeDecorator[str]):
    """Text that is stored in lower case."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value and value.lower()


GIVEN: list[str] = []


def given_once() -> str:
    """Return a default, and note that it was asked for."""
    GIVEN.append("default")
    return "as ever"


class Owner(Base):
    """What samples refer to."""

    __tablename__ = "owners"

    id: Mapped[int] = mapped_column(primary_key=True)


class Sample(Base):
    """A record with columns of each type, and with defaults of each kind."""

    __tablename__ = "samples"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    title: Mapped[str | None] = mapped_column("name", unique=True)
    count: Mapped[int | None]
    index: Mapped[float | None]
    price: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    key: Mapped[UUID] = mapped_column(default=uuid4)
    fixed: Mapped[str | None] = mapped_column(default=given_once)
    twice: Mapped[str | None] = mapped_column(
        default=lambda context: 2 * (context.get_current_parameters()["name"] or "")
    )
    body: Mapped[str | None] = mapped_column(server_default="nothing")
    moment: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    second: Mapped[dt.datetime | None] = mapped_column(TIMESTAMP(timezone=True, precision=0))
    code: Mapped[str | None] = mapped_column(CHAR(5))
    low: Mapped[str | None] = mapped_column(Lower)
    due: Mapped[Any | None] = mapped_column("due date", JSON(none_as_null=True))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owners.id"))
    owner: Mapped[Owner | None] = relationship()
    state: Mapped[str] = mapped_column(server_default="new")

    length = column_property(func.length(body))


class Checked(Base):
    """A record that validates itself."""

    __tablename__ = "checked"

    id: Mapped[int] = mapped_column(primary_key=True)

    @validates("id")
    def check(self, _: str, value: int) -> int:
        return value


TRIGGER = """
CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.state := 'marked'; RETURN NEW; END $$;
CREATE TRIGGER mark BEFORE INSERT ON samples FOR EACH ROW EXECUTE FUNCTION mark();
"""


@pytest.fixture
def tables(own_app: Flask) -> Iterator[None]:
    """A request, by the app's real connections, on a database with these tables."""
    Base.metadata.create_all(db.engine)
    with db.engine.begin() as connection:
        connection.exec_driver_sql(TRIGGER)
    with own_app.test_request_context():
        yield
    db.session.remove()


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "count": st.none() | st.integers(-(2**31), 2**31 - 1),
    "index": st.none() | st.floats(allow_nan=False),
    "price": st.none() | st.decimals(-(10**6) + 1, 10**6 - 1, places=2),
    "key": st.uuids(),
    "fixed": st.none() | TEXT,
    "body": st.none() | TEXT,
    "moment": st.none()
    | st.datetimes(dt.datetime.fromisoformat("0002-01-01T00:00"), timezones=st.just(dt.UTC)),
    "second": st.none()
    | st.datetimes(
        dt.datetime.fromisoformat("0002-01-01T00:00"),
        dt.datetime.fromisoformat("9999-01-01T00:00"),
        timezones=st.just(dt.UTC),
    ),
    "code": st.none() | st.text("ab ", max_size=5),
    "low": st.none() | st.text("aB"),
    "due": st.none() | st.recursive(st.integers() | st.text("ab"), st.lists, max_leaves=3),
}


@pytest.mark.usefixtures("tables")
@settings(max_examples=40)
@given(st.fixed_dictionaries({}, optional=VALUES))
def test_row_that_is_stored_is_the_one_that_is_read_and_the_record(data: dict[str, Any]) -> None:
    stored = vars(db.rows.insert(Sample, data))
    assert vars(db.rows.get_or_404(Sample, stored["id"])) == stored
    record = db.session.get(Sample, stored["id"])
    assert {name: getattr(record, name) for name in stored} == stored
    db.session.remove()


@pytest.mark.usefixtures("tables")
def test_row_has_what_the_database_has_made_of_its_values() -> None:
    second = dt.datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=dt.UTC)
    row = db.rows.insert(Sample, {"title": "a", "second": second, "code": "b", "low": "C", "body": "four"})
    assert (row.second.second, row.code, row.low, row.state, row.length) == (6, "b    ", "c", "marked", 4)
    assert (row.title, row.twice, row.due) == ("a", "aa", None)


@pytest.mark.usefixtures("tables")
def test_default_is_asked_for_once() -> None:
    GIVEN.clear()
    assert db.rows.insert(Sample, {}).fixed == "as ever"
    assert GIVEN == ["default"]


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("model", "data"), [(Sample, {"owner": Owner(id=1)}), (Sample, {"nowhere": 1}), (Checked, {})]
)
def test_what_is_more_than_a_row_is_not_stored(model: type, data: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        db.rows.insert(model, data)


def test_only_the_rows_of_a_model_are_read(app: Flask) -> None:
    statements: list[Any] = [select(Note.id), select(Note, Note.id)]
    for statement in statements:
        with pytest.raises(TypeError, match="one model"):
            db.rows.first(statement)


def test_model_of_another_database_is_refused(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Note.__table__.metadata.info, "bind_key", "other")
    with pytest.raises(TypeError, match="another database"):
        db.rows.first(select(Note))


def test_row_that_is_not_there_is_a_404(app: Flask) -> None:
    with app.app_context(), pytest.raises(NotFound):
        db.rows.get_or_404(Note, 1)


def test_attribute_that_is_no_column_is_told(app: Flask) -> None:
    with pytest.raises(AttributeError, match="and no 'owner'"):
        _ = Row({"id": 1}).owner


@pytest.fixture
def request_of_notes(own_app: Flask) -> Iterator[None]:
    """A request by the app's real connections."""
    with own_app.test_request_context():
        yield
    db.session.remove()


@pytest.fixture
def statements(request_of_notes: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, bool]]]:
    """Each statement, and whether its connection is in AUTOCOMMIT mode."""
    monkeypatch.setattr(db.rows, "kept", Kept())
    seen: list[tuple[str, bool]] = []

    def note(connection: Any, _: Any, statement: str, *__: Any) -> None:
        seen.append((statement.split()[0], connection.connection.driver_connection.autocommit))

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def test_statements_stand_alone_and_are_seen_by_who_listens(statements: list[Any]) -> None:
    row = db.rows.insert(Note, {"title": "a"})
    assert db.rows.get_or_404(Note, row.id).title == "a"
    assert statements == [("INSERT", True), ("SELECT", True)]


def test_what_may_be_no_plain_read_is_in_the_transaction_of_the_session(statements: list[Any]) -> None:
    lock = func.pg_advisory_xact_lock(1).is_not(None)
    db.rows.first(select(Note).where(lock))
    assert statements == [("SELECT", False)]
    assert db.session().in_transaction()


def test_what_was_changed_is_seen(statements: list[Any]) -> None:
    db.session.add(Note(title="of this request"))
    assert [row.title for row in db.rows.all(db.rows.select(db.select(Note)))] == ["of this request"]
    assert {autocommit for _, autocommit in statements} == {False}


def test_row_is_stored_with_what_the_session_has_changed(request_of_notes: None) -> None:
    db.session.add(Note(title="first"))
    db.rows.insert(Note, {"title": "second"})
    db.session.rollback()
    assert [row.title for row in db.rows.all(db.rows.select(db.select(Note).order_by("id")))] == [
        "first",
        "second",
    ]


def test_conflict_stores_nothing_of_the_session(request_of_notes: None) -> None:
    db.session.add(Note(title="first"))
    with pytest.raises(IntegrityError):
        db.rows.insert(Note, {"title": ""})
    db.session.rollback()
    assert db.rows.first(db.select(Note)) is None


def test_who_listens_for_transactions_has_one_around_each_statement(statements: list[Any]) -> None:
    def act_for(connection: Any) -> None:
        connection.exec_driver_sql("SET LOCAL application_name = 'set'")

    event.listen(db.engine, "begin", act_for)
    try:
        row = db.rows.insert(Note, {"title": "a"})
    finally:
        event.remove(db.engine, "begin", act_for)
    assert statements == [("SET", False), ("INSERT", False)]
    assert db.rows.get_or_404(Note, row.id).title == "a"


def test_who_has_chosen_an_isolation_level_has_a_transaction(statements: list[Any]) -> None:
    def isolate(connection: Any, *_: Any) -> None:
        connection.set_session(isolation_level="SERIALIZABLE")

    event.listen(db.engine, "connect", isolate)
    db.engine.dispose()
    db.rows.first(db.select(Note))
    assert statements == [("SELECT", False)]


def test_connection_goes_back_as_it_was(request_of_notes: None) -> None:
    db.rows.first(db.select(Note))
    with pytest.raises(IntegrityError):
        db.rows.insert(Note, {"title": ""})
    assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined] # a QueuePool
    with db.engine.connect() as connection:
        assert not connection.connection.driver_connection.autocommit


def test_connection_that_somebody_has_begun_on_stays_in_that(request_of_notes: None) -> None:
    def act_for(_: Any, record: Any, connection: Any) -> None:
        connection.cursor().execute("SET ROLE pg_read_all_data")

    event.listen(db.engine, "checkout", act_for)
    try:
        with alone(db.engine) as connection:
            assert connection.scalar(text("SELECT current_user")) == "pg_read_all_data"
    finally:
        event.remove(db.engine, "checkout", act_for)


def test_pool_serves_threads_that_read_rows_while_they_are_in_a_transaction(own_app: Flask) -> None:
    size = db.engine.pool.size()  # type: ignore[attr-defined] # a QueuePool
    together = Barrier(size)

    def read_and_store() -> str:
        db.session.execute(update(Note).values(title="b"))
        together.wait(PATIENCE)
        with alone(db.engine) as connection:
            connection.execute(insert(Note).values(title="a"))
        return ""

    own_app.add_url_rule("/both", view_func=read_and_store)
    with ThreadPoolExecutor(size) as threads:
        answers = threads.map(lambda _: own_app.test_client().get("/both").status_code, range(size))
        assert {*answers} == {200}


UPPER = """
CREATE FUNCTION raise_case() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN NEW.title := upper(NEW.title); RETURN NEW; END $$;
CREATE TRIGGER raise_case BEFORE INSERT OR UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION raise_case();
"""


def test_what_a_change_answers_is_what_is_stored(own_app: Flask) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql(UPPER)
    client = own_app.test_client()
    created = client.post("/api/notes", json={"title": "a"})
    path = created.headers["Location"]
    assert client.get(path).json == created.json
    assert created.json["title"] == "A"
    changed = client.patch(path, json={"title": "b"})
    assert client.get(path).json == changed.json
    assert client.get(path).headers["ETag"] == changed.headers["ETag"]
    assert (changed.json["title"], changed.json["version"]) == ("B", 2)


def test_change_to_what_is_there_is_none(own_app: Flask) -> None:
    client = own_app.test_client()
    created = client.post("/api/notes", json={"title": "a"})
    path = created.headers["Location"]
    assert client.patch(path, json=created.json).json == created.json
