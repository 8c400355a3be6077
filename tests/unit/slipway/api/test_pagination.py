"""Pages of a list with values that are missing and that come again, on a table of the test's own."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Index, NullPool, Select, create_engine, insert, make_url, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from slipway.api.pagination import LIMIT, Position, Shape, built, parts

ROWS = 3000
SORTS = ["id", "-id", "value", "-value", "name", "-name"]


class Base(DeclarativeBase):
    """Apart from the app's models."""


class Sample(Base):
    """A record that a list is sorted by."""

    __tablename__ = "samples"
    __table_args__ = (Index("value", "value", "id"), Index("name", "name", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int | None]
    name: Mapped[str]


@pytest.fixture(scope="module")
def connection(postgres: str) -> Iterator[Connection]:
    """A connection to samples: every tenth has no value, and seven have the same."""
    engine = create_engine(make_url(postgres).set(drivername="postgresql+psycopg2"), poolclass=NullPool)
    rows = [
        {"id": i, "value": None if i % 10 == 0 else i * 7919 % ROWS // 7, "name": str(i // 7)}
        for i in range(1, ROWS + 1)
    ]
    with engine.connect() as connection:
        Base.metadata.create_all(connection)
        connection.execute(insert(Sample), rows)
        connection.execute(text("ANALYZE samples"))
        yield connection
        connection.rollback()


def following(connection: Connection, sort: str, after: Position | None, limit: int) -> list[Any]:
    """Return the page after a position."""
    rows: list[Any] = []
    statement: Any = select(Sample.id, Sample.value, Sample.name)
    for part in parts(statement, Sample, sort, after):
        rows += connection.execute(part.limit(limit - len(rows))).all() if len(rows) < limit else []
    return rows


def expected(rows: list[Any], sort: str) -> list[int]:
    """Return the ids of `rows` in order, with those without a value last."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    known = [row for row in rows if getattr(row, name) is not None]
    unknown = [row for row in rows if getattr(row, name) is None]
    known.sort(key=lambda row: (getattr(row, name), row.id), reverse=down)
    unknown.sort(key=lambda row: row.id, reverse=down)
    return [row.id for row in known + unknown]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [7, 100])
def test_pages_go_through_all_in_order(connection: Connection, sort: str, limit: int) -> None:
    found: list[Any] = []
    after: Position | None = None
    while page := following(connection, sort, after, limit):
        found += page
        name = sort.removeprefix("-")
        after = Position(None if name == "id" else getattr(page[-1], name), page[-1].id)
    assert [row.id for row in found] == expected(found, sort)
    assert len(found) == ROWS


def nodes(plan: dict[str, Any]) -> Iterator[str]:
    """Yield the kinds of the nodes of a plan."""
    yield plan["Node Type"]
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def planned(connection: Connection, statement: Select[Any]) -> set[str]:
    """Return the kinds of nodes by which Postgres finds a page."""
    sql = statement.limit(21).compile(connection.engine, compile_kwargs={"literal_binds": True})
    [plan] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}").scalar_one()
    return set(nodes(plan["Plan"]))


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("after", [None, Position(200, 2000), Position(None, 2000)])
def test_page_is_read_from_an_index_without_sorting(
    connection: Connection, sort: str, after: Position | None
) -> None:
    if after and sort.endswith("name"):
        after = Position("200", 2000)
    for part in parts(select(Sample), Sample, sort, after):
        assert planned(connection, part) <= {"Limit", "Index Scan", "Index Only Scan"}


@pytest.mark.parametrize("sort", SORTS)
def test_page_of_the_usual_size_is_planned_once(connection: Connection, sort: str) -> None:
    statement = built(select(Sample), Shape(sort, "first", (), False, LIMIT + 1))[0]
    name = f'"page by {sort}"'
    connection.exec_driver_sql(f"PREPARE {name} AS {statement.compile(connection)}")
    for _ in range(7):
        assert len(connection.exec_driver_sql(f"EXECUTE {name}").all()) == LIMIT + 1
    times = text("SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE name = :name")
    assert connection.execute(times, {"name": name.strip('"')}).one() == (0, 7)
