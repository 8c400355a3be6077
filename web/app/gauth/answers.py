"""How what goes wrong in a sign-in is answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from flask import abort, current_app, request

from .access import unauthorized
from .identity import Identity, IdentityError, ProviderError
from .settings import settings

NEXT_MAXIMUM = 500  # bytes; it is kept in a cookie, of which there may be several


def check_configured() -> None:
    """Answer 404 where this app has no provider; a developer is told which variables are missing."""
    missing = settings().missing
    if missing:
        advice = f"Signing in is off, for want of {' and '.join(missing)}."
        abort(404, advice if current_app.debug else None)


@contextmanager
def answering_in_http() -> Iterator[None]:
    """Answer 503 where the provider is at fault, 401 where an identity is not proven; the log says why."""
    try:
        yield
    except ProviderError as error:
        current_app.logger.error("the OpenID provider: %s", error)
        abort(503, "The sign-in service does not answer as it should; try again.")
    except IdentityError as error:
        current_app.logger.warning("not signed in: %s", error)
        unauthorized("The sign-in could not be verified; sign in again.")


def check_allowed(identity: Identity) -> None:
    """Answer 403 where GAUTH_ALLOWED does not let `identity` in."""
    if not settings().allows(identity.issuer, identity.email, identity.hosted_domain):
        current_app.logger.warning("not signed in: not on the list of GAUTH_ALLOWED")
        abort(403, f"{identity.email} may not sign in here.")


def refuse_attempt() -> NoReturn:
    """Answer that the provider's answer belongs to no sign-in of this browser."""
    abort(400, "This sign-in was not begun here, is over, or took more than ten minutes; sign in again.")


def refuse_error(error: str, description: str) -> NoReturn:
    """Answer an error of the provider's: https://openid.net/specs/openid-connect-core-1_0.html#AuthError"""
    current_app.logger.warning("not signed in: the provider says %.50r, %.500r", error, description)
    if error == "access_denied":
        abort(403, "You have not signed in: the sign-in was cancelled. Nothing was changed.")
    abort(403, "You have not signed in: the sign-in service refuses the request; the log has its reason.")


def local_path(path: str) -> str:
    r"""Return `path` if it stays on this site whatever a browser makes of it, else the home page's.

    Browsers take `\` for `/`, and leave out tabs and line ends: https://url.spec.whatwg.org/#url-parsing
    """
    if not path.startswith("/") or path.startswith("//") or len(path.encode()) > NEXT_MAXIMUM:
        return home()
    if "\\" in path or any(c <= " " or c == "\x7f" for c in path):
        return home()
    return path


def home() -> str:
    """Return the path of the home page."""
    return f"{request.script_root}/"
