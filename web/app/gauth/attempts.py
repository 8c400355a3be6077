"""Sign-ins that have begun, each in a cookie of its own, so that two tabs do not disturb each other."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug import Response

from .identity import Attempt

MAX_AGE = 600  # seconds from the beginning to the end of a sign-in
MAXIMUM = 5  # that a browser may have begun


@dataclass(frozen=True)
class Begun:
    """What is kept of an attempt: `next` is the path to go to when it has succeeded."""

    state: str
    nonce: str
    verifier: str
    next: str


def keep(response: Response, attempt: Attempt, next_path: str) -> None:
    """Put `attempt` into a cookie of `response`; the oldest ones make room."""
    ages = {name: began(value) for name, value in request.cookies.items() if is_ours(name)}
    for name in sorted(ages, key=ages.__getitem__, reverse=True)[MAXIMUM - 1 :]:
        response.delete_cookie(name, **attributes())
    value = serializer().dumps([attempt.state, attempt.nonce, attempt.verifier, next_path])
    response.set_cookie(cookie_name(attempt.state), value, MAX_AGE, **attributes())


def find(state: str) -> Begun | None:
    """Return the attempt with `state`, None where this browser has begun none within MAX_AGE."""
    try:
        found = Begun(*serializer().loads(request.cookies.get(cookie_name(state), ""), MAX_AGE))
    except (BadData, TypeError):
        return None
    return found if found.state == state else None


def forget(response: Response, state: str) -> None:
    """Delete the cookie of the attempt with `state`, which is over."""
    response.delete_cookie(cookie_name(state), **attributes())


def began(value: str) -> float:
    """Return when the attempt in a cookie's `value` was begun, 0 where that is no attempt, or over."""
    try:
        _, at = serializer().loads(value, MAX_AGE, return_timestamp=True)
    except BadData:
        return 0
    return float(at.timestamp())


def cookie_name(state: str) -> str:
    """Return the name of the cookie of the attempt with `state`: hashed, as callers may send anything."""
    return prefix() + hashlib.sha256(state.encode(errors="replace")).hexdigest()[:16]


def is_ours(name: str) -> bool:
    """Tell whether a cookie is one of an attempt."""
    return bool(re.fullmatch(re.escape(prefix()) + "[0-9a-f]{16}", name))


def prefix() -> str:
    """Return what the names of these cookies begin with."""
    return f"{current_app.config['SESSION_COOKIE_NAME']}_gauth_"


def attributes() -> dict[str, Any]:
    """Return the attributes of these cookies, which the sign-in alone gets."""
    path = url_for("gauth_pages.login").rpartition("/")[0]
    return {"path": path, "secure": request.is_secure, "httponly": True, "samesite": "Lax"}


def serializer() -> URLSafeTimedSerializer:
    """Return what signs the cookies; the keys of before are still known."""
    keys = [*(current_app.config.get("SECRET_KEY_FALLBACKS") or []), current_app.secret_key]
    return URLSafeTimedSerializer(keys, salt="gauth")
