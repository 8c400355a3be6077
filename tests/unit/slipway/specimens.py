"""A record with a field of each type, and what it may hold."""

import datetime as dt
from decimal import Decimal as Number
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from sqlalchemy import JSON, DateTime, Numeric
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from slipway.api.schema import Schema


class Base(DeclarativeBase):
    """Apart from the app's models."""


class Specimen(Base):
    """A record with a field of each type."""

    __tablename__ = "specimens"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    count: Mapped[int | None]
    weight: Mapped[float | None]
    price: Mapped[Number | None] = mapped_column(Numeric(8, 2))
    found: Mapped[bool | None]
    key: Mapped[UUID | None]
    day: Mapped[dt.date | None]
    hour: Mapped[dt.time | None]
    moment: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    details: Mapped[Any | None] = mapped_column(JSON)
    created_at: Mapped[dt.datetime | None]
    updated_at: Mapped[dt.datetime | None]
    version: Mapped[int | None]


class SpecimenSchema(Schema):
    class Meta:
        model = Specimen


ZONES = st.one_of(st.just(dt.UTC), st.integers(-23, 23).map(lambda h: dt.timezone(dt.timedelta(hours=h))))
MOMENTS = st.datetimes(timezones=ZONES)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": st.integers(1, 2**63 - 1),
    "name": st.text(),
    "count": st.integers(-(2**63), 2**63 - 1),
    "weight": st.floats(allow_nan=False, allow_infinity=False),
    "price": st.decimals(-(10**6) + 1, 10**6 - 1, places=2),
    "found": st.booleans(),
    "key": st.uuids(),
    "day": st.dates(),
    "hour": st.times(),
    "moment": MOMENTS,
    "details": JSON_VALUES,
    "created_at": MOMENTS,
    "updated_at": MOMENTS,
    "version": st.integers(1, 2**31 - 1),
}
