import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    Select,
    String,
    UniqueConstraint,
    bindparam,
    func,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, make_transient_to_detached, mapped_column
from sqlalchemy.orm.util import identity_key

from ..extensions import db
from . import identity

TOKENS_MAXIMUM = 50  # of a user; the oldest makes room
TOKEN_LENGTH = 43  # characters of base64url: 32 random bytes


class User(db.Model):  # type: ignore[name-defined] # Flask-SQLAlchemy makes the class at run time
    """Somebody who has signed in, known by issuer and subject: an e-mail address may change hands."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(320))
    hosted_domain: Mapped[str | None] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(200))
    picture: Mapped[str | None] = mapped_column(String(2000))
    session_epoch: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    signed_in_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    signed_out_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # everywhere

    @classmethod
    def signed_in(cls, told: identity.Identity) -> Self:
        """Return the user that the provider has `told` of, stored with what it says of them today.

        One statement, so that two tabs may sign in at once.
        """
        values = {name: value for name, value in vars(told).items() if name != "proven_at"}
        store = insert(cls).values(values)
        changes = {name: store.excluded[name] for name in values} | {"signed_in_at": func.now()}
        store = store.on_conflict_do_update(index_elements=["issuer", "subject"], set_=changes)
        stored = db.session.scalars(store.returning(cls), execution_options={"populate_existing": True})
        user: Self = stored.one()
        return user

    @classmethod
    def of_session(cls, user_id: int, epoch: int, session_id: str | None) -> Any:
        """Return the row of a session's user; None after a sign-out, here or everywhere."""
        return row_of(cls.of_open_session(), {"user": user_id, "epoch": epoch, "session": session_id})

    @classmethod
    @cache
    def of_open_session(cls) -> Select[Self]:
        """Return the SELECT of a session's user, by the parameters `user`, `epoch` and `session`."""
        ended = db.select(EndedSession.id).where(EndedSession.id == bindparam("session", type_=String))
        of_epoch = (cls.id == bindparam("user"), cls.session_epoch == bindparam("epoch"))
        return db.select(cls).where(*of_epoch, ~ended.exists())

    @classmethod
    def of_row(cls, row: Any) -> Self:
        """Return the record of the session that is stored as `row`; nothing is asked for that."""
        found: Self | None = db.session.identity_map.get(identity_key(cls, row.id))
        if found is None:
            found = cls(**{column.key: getattr(row, column.key) for column in cls.__table__.columns})
            make_transient_to_detached(found)
            db.session.add(found)
        return found

    @property
    def tokens(self) -> Select[tuple["ApiToken"]]:
        """The SELECT of the user's API tokens, newest first."""
        mine = db.select(ApiToken).where(ApiToken.user_id == self.id, ApiToken.valid())
        newest_first: Select[tuple[ApiToken]] = mine.order_by(ApiToken.id.desc())
        return newest_first

    def check_later(self, proven_at: datetime) -> None:
        """Refuse what was proven before the user signed out everywhere (IdentityError)."""
        if self.signed_out_at is not None and proven_at < self.signed_out_at:
            raise identity.IdentityError("it is from before its user signed out everywhere")

    def sign_out_everywhere(self) -> None:
        """End each session of the user, and revoke each API token."""
        db.session.execute(
            db.update(User)
            .where(User.id == self.id)
            .values(session_epoch=User.session_epoch + 1, signed_out_at=func.now())
        )
        db.session.execute(db.delete(ApiToken).where(ApiToken.user_id == self.id))


class EndedSession(db.Model):  # type: ignore[name-defined] # see User
    """A session that was signed out of: whoever has a copy of its cookie is not signed in by it.

    It is remembered until the cookie is not good any more.
    """

    __tablename__ = "ended_sessions"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)

    @classmethod
    def add(cls, session_id: str, expires_at: datetime) -> None:
        """Remember a session, and forget those that have expired."""
        db.session.execute(db.delete(cls).where(cls.expires_at < func.now()))
        ended = insert(cls).values(id=session_id, expires_at=expires_at)
        db.session.execute(ended.on_conflict_do_nothing())


class ApiToken(db.Model):  # type: ignore[name-defined] # see User
    """A bearer token of a user. The token itself is known to its holder alone; its hash is stored."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    label: Mapped[str] = mapped_column(String(100), server_default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    @classmethod
    def issue(cls, user: User, label: str, lifetime: timedelta) -> tuple[Self, str]:
        """Return a new token of `user` as it is stored, and as its holder shows it."""
        text = secrets.token_urlsafe(32)
        token = cls(
            user_id=user.id, label=label, digest=digest(text), expires_at=datetime.now(UTC) + lifetime
        )
        db.session.add(token)
        db.session.flush()
        kept = user.tokens.with_only_columns(cls.id).limit(TOKENS_MAXIMUM)
        db.session.execute(db.delete(cls).where(cls.user_id == user.id, cls.id.not_in(kept)))
        return token, text

    @classmethod
    def valid(cls) -> ColumnElement[bool]:
        """Return the condition that a token has yet to expire."""
        return cls.expires_at > func.now()

    @classmethod
    def user_of(cls, text: str) -> Any:
        """Return the row of whose token `text` is; None where it is none, expired or revoked."""
        return row_of(cls.holder(), {"digest": digest(text)}) if len(text) == TOKEN_LENGTH else None

    @classmethod
    @cache
    def holder(cls) -> Select[User]:
        """Return the SELECT of whose the token with the parameter `digest` is."""
        holder = db.select(User).join(cls, cls.user_id == User.id)
        return holder.where(cls.digest == bindparam("digest"), cls.valid())


def digest(text: str) -> bytes:
    """Return the SHA-256 of a token: as it is random, no slower function is called for."""
    return hashlib.sha256(text.encode()).digest()


def row_of(statement: Select[Any], values: dict[str, Any]) -> Any:
    """Return the first row of the model that `statement` is of, None where there is none.

    It is read outside a transaction where the host's `db` can do so.
    """
    if hasattr(db, "rows"):
        return db.rows.first(statement, values)
    columns = statement.column_descriptions[0]["entity"].__table__.columns
    return db.session.execute(statement.with_only_columns(*columns), values).first()
