import datetime as dt
import math
from decimal import Decimal as Number
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from marshmallow import fields as plain

from slipway.api.fields import (
    Boolean,
    Date,
    DateTime,
    Decimal,
    Float,
    Integer,
    Json,
    Malformed,
    Time,
    Uuid,
    from_text,
    to_text,
)

PRICE = Decimal(precision=6, places=2)
SHARE = Decimal(precision=4, places=4)
COUNT = Decimal(precision=3, places=0)
ID = "6f1dcb5a-7a0e-4f4c-9f57-2b1f1b7f2d10"


@pytest.mark.parametrize(
    ("field", "value", "loaded"),
    [
        (Integer(), 5, 5),
        (Integer(), 5.0, 5),
        (Float(), 5, 5.0),
        (Float(), -0.5, -0.5),
        (PRICE, "9999.99", Number("9999.99")),
        (PRICE, "-1", Number("-1.00")),
        (SHARE, "0.1234", Number("0.1234")),
        (COUNT, "999", Number(999)),
        (Boolean(), False, False),
        (Date(), "0001-01-01", dt.date(1, 1, 1)),
        (Time(), "23:59:59.999999", dt.time(23, 59, 59, 999999)),
        (DateTime(), "2026-01-31T13:45:00Z", dt.datetime(2026, 1, 31, 13, 45, tzinfo=dt.UTC)),
        (DateTime(), "2026-01-31t13:45:00.5+02:00", dt.datetime(2026, 1, 31, 11, 45, 0, 500000, dt.UTC)),
        (DateTime(), "2026-01-31T13:45:00.123456789Z", dt.datetime(2026, 1, 31, 13, 45, 0, 123456, dt.UTC)),
        (Uuid(), ID, UUID(ID)),
        (Uuid(), ID.upper(), UUID(ID)),
        (Json(), {"a": [1, None, "x"]}, {"a": [1, None, "x"]}),
        (Json(), False, False),
    ],
)
def test_value_is_taken(field: plain.Field[Any], value: object, loaded: object) -> None:
    assert field.deserialize(value) == loaded


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (Integer(), ["5", True, 5.5, None, [], math.inf]),
        (Float(), ["5", True, None, {}, 10**400]),
        (PRICE, [1, 1.5, "1.234", "10000", "1e3", "+1", " 1", "1.", ".5", "NaN", "\u0661", "1\n", ""]),
        (SHARE, ["1", "1.5", "0.12345", "00.1"]),
        (COUNT, ["1000", "1.0"]),
        (Boolean(), ["true", 0, 1, None, "on"]),
        (
            Date(),
            [
                "2026-02-30",
                "20260131",
                "2026-W01-1",
                "0000-01-01",
                "2026-1-1",
                20260131,
                "\u0662\u0660\u0662\u0666-01-01",
            ],
        ),
        (Time(), ["24:00:00", "12:00", "12:00:00Z", "12:00:00+02:00", "T12:00:00", "120000", 5]),
        (
            DateTime(),
            [
                *(
                    "2026-01-31",
                    "2026-01-31T13:45:00",
                    "2026-01-31 13:45:00Z",
                    "2026-02-30T00:00:00Z",
                    1769867100,
                ),
                *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-31T13:45:00+99:99"),
            ],
        ),
        (Uuid(), ["x", ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", 5]),
        (Json(), ["a\0", {"a\0": 1}, ["\ud800"], {"a": {"b": ["\0"]}}, Malformed("{")]),
    ],
)
def test_other_spelling_is_refused(field: plain.Field[Any], values: list[object]) -> None:
    for value in values:
        with pytest.raises(ValidationError):
            field.deserialize(value)


def test_json_that_is_nested_too_deeply_is_refused() -> None:
    value: Any = "x"
    for _ in range(65):
        value = [value]
    with pytest.raises(ValidationError, match="Nested deeper than 64"):
        Json().deserialize(value)
    assert Json().deserialize(value[0]) == value[0]


moments = st.datetimes(timezones=st.just(dt.UTC)).map(lambda moment: moment.replace(microsecond=0))
VALUES: list[tuple[plain.Field[Any], st.SearchStrategy[Any]]] = [
    (Integer(), st.integers(-(2**63), 2**63 - 1)),
    (Float(), st.floats(-1e15, 1e15)),
    (PRICE, st.decimals(-9999, 9999, places=2)),
    (Boolean(), st.booleans()),
    (Date(), st.dates()),
    (Time(), st.times().map(lambda time: time.replace(microsecond=0))),
    (DateTime(), moments),
    (Uuid(), st.uuids()),
    (Json(), st.dictionaries(st.text("abc"), st.none() | st.lists(st.integers()))),
    (plain.String(), st.text("abc \n<>&'\"")),
]


@pytest.mark.parametrize(("field", "values"), VALUES, ids=[type(field).__name__ for field, _ in VALUES])
def test_form_gives_back_what_it_was_given(field: plain.Field[Any], values: st.SearchStrategy[Any]) -> None:
    @given(values)
    def holds(value: object) -> None:
        shown = to_text(field, field._serialize(value, None, None))
        assert field.deserialize(from_text(field, shown)) == value

    holds()


@pytest.mark.parametrize(
    ("field", "text"),
    [(Integer(), "1.5"), (Integer(), "x"), (Float(), "inf"), (Boolean(), "on"), (DateTime(), "today")],
)
def test_text_that_is_no_value_stays_text(field: plain.Field[Any], text: str) -> None:
    assert from_text(field, text) == text


@pytest.mark.parametrize(
    ("field", "text", "loaded"),
    [
        (Time(), "13:45", dt.time(13, 45)),
        (DateTime(), "2026-01-31T13:45", dt.datetime(2026, 1, 31, 13, 45, tzinfo=dt.UTC)),
    ],
)
def test_time_of_a_form_needs_no_seconds(field: plain.Field[Any], text: str, loaded: object) -> None:
    assert field.deserialize(from_text(field, text)) == loaded
