"""Values that a column does not take: refused by its field, or else by the database, and never a 500."""

import logging
from typing import Any

import pytest
from flask import Flask, request
from marshmallow import ValidationError
from sqlalchemy import ARRAY, Computed, Identity, SmallInteger, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.extensions import csrf, db
from app.gauth import Owned
from slipway.api.schema import Schema


class Base(DeclarativeBase):
    """Apart from the app's models."""


class Crate(Base):
    """A record with columns that Postgres makes, and with arrays."""

    __tablename__ = "crates"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    height: Mapped[int]
    area: Mapped[int] = mapped_column(Computed("height * height"))
    number: Mapped[int] = mapped_column(Identity(always=True))
    labels: Mapped[list[str] | None] = mapped_column(ARRAY(String(20)))
    sizes: Mapped[list[list[int]] | None] = mapped_column(ARRAY(SmallInteger, dimensions=2))


class CrateSchema(Schema):
    class Meta:
        model = Crate


CRATES: Schema = CrateSchema()  # type: ignore[no-untyped-call] # marshmallow-sqlalchemy's


@pytest.mark.parametrize(
    "data", [{"labels": ["x" * 21]}, {"labels": [None]}, {"sizes": [[2**15]]}, {"sizes": [1]}]
)
def test_element_out_of_bounds_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        CRATES.load({"height": 1} | data)
    assert refused.value.normalized_messages().keys() == data.keys()


def test_elements_within_bounds_are_taken() -> None:
    data = {"height": 1, "labels": ["x" * 20], "sizes": [[1, 2], [3, 4]]}
    assert CRATES.load(data) == data


@pytest.mark.parametrize("name", ["area", "number"])
def test_value_that_postgres_makes_is_refused(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CRATES.load({"height": 1, name: 5})
    assert refused.value.messages == {name: ["Read-only."]}
    assert CRATES.fields[name].dump_only


class Parcel(Owned, Base):
    """A record of a user."""

    __tablename__ = "parcels"

    id: Mapped[int] = mapped_column(primary_key=True)


class ParcelSchema(Schema):
    class Meta:
        model = Parcel
        include_fk = True


def test_owner_is_none_that_a_client_names() -> None:
    parcels: Schema = ParcelSchema()  # type: ignore[no-untyped-call] # likewise
    assert parcels.load({"owner_id": 7}) == {}
    assert parcels.fields["owner_id"].dump_only


@pytest.fixture
def refusing(own_app: Flask) -> Flask:
    """An app with a view that gives the database what no field has looked at."""

    def create() -> dict[str, str]:
        address, size = request.json["address"], request.json.get("size", 1)
        statement = text("SELECT CAST(:address AS inet), CAST(:size AS smallint)")
        db.session.execute(statement, {"address": address, "size": size})
        return {}

    csrf.exempt(create)
    own_app.add_url_rule("/api/crates", view_func=create, methods=["POST"])
    return own_app


def test_value_that_the_database_refuses_is_a_422_that_names_its_field(
    refusing: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    answer = refusing.test_client().post("/api/crates", json={"address": "nowhere", "colour": "red"})
    assert answer.status_code == 422
    assert answer.json is not None
    assert list(answer.json["errors"]) == ["address"]
    assert [record.getMessage() for record in caplog.records] == ["refused: 22P02"]


def test_value_that_is_not_told_is_a_422(refusing: Flask) -> None:
    answer = refusing.test_client().post("/api/crates", json={"address": "::1", "size": 70_000})
    assert answer.status_code == 422
    assert refusing.test_client().post("/api/crates", json={"address": "::1"}).status_code == 200
