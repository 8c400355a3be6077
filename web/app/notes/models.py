from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Base, search_index


class Note(Base):
    """A note."""

    __tablename__ = "notes"
    __table_args__ = (Index(None, "title", "id"),)

    title: Mapped[str] = mapped_column(String(200), CheckConstraint("title <> ''", name="title_given"))
    body: Mapped[str] = mapped_column(
        Text, CheckConstraint("char_length(body) <= 50000", name="body_length"), server_default=""
    )

    def __str__(self) -> str:
        return self.title


search_index(Note.title, Note.body)
