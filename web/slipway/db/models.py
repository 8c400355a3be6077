"""What models are made of: the database of the app, and the base of its records."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, func
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, object_session

from .database import Database

# Constraints with names can be dropped by a migration:
# https://alembic.sqlalchemy.org/en/latest/naming.html
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

db = Database(metadata=MetaData(naming_convention=NAMES), session_options={"expire_on_commit": False})
db.Model.registry.update_type_annotation_map(  # type: ignore[attr-defined] # made at run time
    {datetime: DateTime(timezone=True)}
)


class Base(db.Model):  # type: ignore[name-defined] # Flask-SQLAlchemy makes the class at run time
    """A record: `version` counts its changes, and an UPDATE of a version that is gone by fails."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True, sort_order=-1)
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), sort_order=1
    )
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now(), sort_order=2
    )
    version: Mapped[int] = mapped_column(server_default="1", sort_order=3)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, object]:
        return {"version_id_col": cls.version, "eager_defaults": True}

    def update(self, data: dict[str, Any]) -> None:
        """Set the attributes that `data` names; the record of a session is then as the database has it."""
        for name, value in data.items():
            setattr(self, name, value)
        session = object_session(self)
        if session is not None and session.is_modified(self):
            session.flush()
            session.refresh(self)
