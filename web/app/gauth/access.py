"""Who is signed in: by an API token (RFC 6750), or by the session of a browser."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

from flask import abort, redirect, request, session, url_for
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized
from werkzeug.local import LocalProxy

from ..extensions import Blueprint, db
from .models import ApiToken, EndedSession, User
from .settings import settings

# In the session: {"id": its own, "user": id, "epoch": of the user, "since" and "seen": times in seconds}
KEY = "gauth"
ROW, USER = "gauth.row", "gauth.user"  # in the environment of a request
BEARER: list[dict[str, list[str]]] = [{"bearer": []}]  # of the host's API_SPEC_OPTIONS
SEEN_STEPS = 10  # in the time that a session may be idle; more often `seen` is not written down

P = ParamSpec("P")
R = TypeVar("R")


def get_user() -> User | None:
    """Return the record of who is signed in, None where nobody is."""
    row, user = get_row(), request.environ.get(USER)
    if row is not None and (user is None or user not in db.session):
        request.environ[USER] = user = User.of_row(row)
    return user if row is not None else None


def get_row() -> Any:
    """Return the row of who is signed in, None where nobody is; read from the database once a request."""
    environ = request.environ
    if ROW not in environ:
        environ[ROW] = read_row()
    return environ[ROW]


if TYPE_CHECKING:
    current_user: User
else:
    current_user = LocalProxy(get_user)


def read_row() -> Any:
    """Return the row of who is signed in and still allowed to be; a bearer token goes before a session."""
    found = settings()
    if found.missing:
        return None
    token = bearer()
    user = session_user() if token is None else ApiToken.user_of(token)
    return user if user and found.allows(user.issuer, user.email, user.hosted_domain) else None


def bearer() -> str | None:
    """Return the bearer token of the request, "" where it is malformed, None where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def session_user() -> Any:
    """Return the row of the session's user; a session ends after a while, sooner where it is not used."""
    mark = session.get(KEY)
    if mark is None:
        return None
    now, lasting = int(time.time()), settings()
    over = now >= min(mark["since"] + lasting.session_lifetime, mark["seen"] + lasting.session_idle)
    user = None if over else User.of_session(mark["user"], mark["epoch"], mark.get("id"))
    if user is None:
        session.clear()
        return None
    # A session of an older release has no id.
    if "id" not in mark or now >= mark["seen"] + lasting.session_idle / SEEN_STEPS:
        session[KEY] = {"id": new_id()} | mark | {"seen": now}
    return user


def begin_session(user: User) -> None:
    """Sign `user` in, in a session that has nothing of the one before."""
    now = int(time.time())
    session.clear()
    session.permanent = True
    session[KEY] = {
        "id": new_id(),
        "user": user.id,
        "epoch": user.session_epoch,
        "since": now,
        "seen": now,
    }


def end_session() -> None:
    """Sign out, in this browser and wherever a copy of its cookie is."""
    mark = session.get(KEY, {})
    if "id" in mark:
        expires = mark["since"] + settings().session_lifetime
        EndedSession.add(mark["id"], datetime.fromtimestamp(expires, UTC))
    session.clear()


def new_id() -> str:
    """Return the id of a new session."""
    return secrets.token_urlsafe(16)


def rides_on_session() -> bool:
    """Tell whether the request acts for the user of a session."""
    return "HTTP_COOKIE" in request.environ and bearer() is None and not settings().missing and KEY in session


def login_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let only those in who are signed in: others get a 401 under /api/, and a way to sign in elsewhere."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if get_row() is None:
            refuse()
        return view(*args, **kwargs)

    documented: Callable[P, R] = Blueprint.doc(security=BEARER, responses={401: "UNAUTHORIZED"})(guarded)
    return documented


def refuse() -> NoReturn:
    """Answer that the request wants somebody who is signed in.

    A form is not led to the provider: it would be lost, and a Content-Security-Policy may forbid it.
    """
    if request.path.startswith("/api/") or request.method not in ("GET", "HEAD"):
        unauthorized()
    abort(redirect(url_for("gauth_pages.login", next=here()), 303))


def here() -> str:
    """Return the path and query of the request."""
    return request.script_root + request.full_path.rstrip("?")


def unauthorized(detail: str = "Sign in, or send an API token.") -> NoReturn:
    """Answer 401 in the words of https://www.rfc-editor.org/rfc/rfc6750#section-3"""
    wrong: dict[str, Any] = {} if bearer() is None else {"error": "invalid_token"}
    challenge = WWWAuthenticate("bearer", wrong)
    error = Unauthorized(detail, www_authenticate=challenge)
    error.data = {"headers": {"WWW-Authenticate": str(challenge)}}  # type: ignore[attr-defined] # for flask-smorest
    raise error
