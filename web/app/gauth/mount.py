from typing import Any

from flask import Flask, Request, Response, current_app, has_request_context, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from sqlalchemy.exc import SQLAlchemyError

from ..extensions import csrf
from .access import ROW, get_user, here, rides_on_session
from .models import User
from .settings import load, settings


class Sessions(SecureCookieSessionInterface):
    """Flask's sessions, kept off plain connections, and what was made with one out of every cache."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the request; without a cookie an empty one, made without the keys."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure or super().get_cookie_secure(app)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        of_session = session.accessed and (session or session.modified)
        of_user = request.environ.get(ROW) is not None
        if of_session or (of_user and "Cache-Control" in response.headers):
            response.headers["Cache-Control"] = "private, no-store"
        if session.accessed or session.modified:
            super().save_session(app, session, response)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        return session.modified


def init_app(app: Flask) -> None:
    """Have `app` know who is signed in, by its configuration GAUTH_… (settings.py)."""
    app.extensions["gauth"] = found = load(app)
    app.config["PERMANENT_SESSION_LIFETIME"] = found.session_lifetime
    app.session_interface = Sessions()
    app.before_request(protect)
    app.context_processor(context)


def protect() -> None:
    """Refuse an unsafe request that acts for a session's user without a CSRF token, on exempt views too."""
    config = current_app.config
    unsafe = request.method in config["WTF_CSRF_METHODS"] and request.endpoint
    if unsafe and config["WTF_CSRF_ENABLED"] and rides_on_session():
        csrf.protect()


def context() -> dict[str, Any]:
    """Return what templates may want: `current_user`, and, where nobody is signed in, what leads there."""
    found = settings()
    if found.missing or not has_request_context():
        return {}
    user = user_of_page()
    return {
        "current_user": user,
        "sign_in_url": sign_in_url(),
        "sign_in_with_google": found.is_google,
    }


def user_of_page() -> User | None:
    """Return who is signed in; a page is served also where the database cannot tell."""
    try:
        return get_user()
    except SQLAlchemyError as error:
        request.environ[ROW] = None  # asked once for the page, whose parts all want to know
        current_app.logger.error("who is signed in: %s", str(error).partition("\n")[0])
        return None


def sign_in_url() -> str:
    """Return the URL that signs in and comes back to the present page."""
    is_page = request.method == "GET" and request.endpoint and request.blueprint != "gauth_pages"
    return url_for("gauth_pages.login", next=here() if is_page else None)
