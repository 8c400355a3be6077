from flask import Blueprint, after_this_request, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from ..extensions import csrf, db
from . import attempts
from .access import begin_session, end_session, get_user
from .answers import (
    answering_in_http,
    check_allowed,
    check_configured,
    home,
    local_path,
    refuse_attempt,
    refuse_error,
)
from .models import User
from .settings import settings

pages = Blueprint("gauth_pages", __name__, url_prefix="/gauth", template_folder="templates")
pages.before_request(check_configured)


@pages.get("/login")
def login() -> ResponseReturnValue:
    """Send the browser to the provider; `next` is the path to come back to."""
    with answering_in_http():
        attempt = settings().provider.begin(url_for(".callback", _external=True))
    answer = redirect(attempt.url)
    answer.headers["Cache-Control"] = "no-store"
    attempts.keep(answer, attempt, local_path(request.args.get("next", "")))
    return answer


@pages.get("/callback")
def callback() -> ResponseReturnValue:
    """Sign in whom the provider has sent back with a code."""
    attempt = attempts.find(request.args.get("state", ""))
    if attempt is None and get_user():
        return redirect(home(), 303)  # a page of an earlier sign-in, gone back to
    if attempt is None:
        refuse_attempt()

    @after_this_request
    def forget(answer: Response) -> Response:
        attempts.forget(answer, attempt.state)
        return answer

    if "code" not in request.args:
        refuse_error(request.args.get("error", ""), request.args.get("error_description", ""))
    here = url_for(".callback", _external=True)
    with answering_in_http():
        identity = settings().provider.finish(here, request.args["code"], attempt.nonce, attempt.verifier)
    check_allowed(identity)
    user = User.signed_in(identity)
    db.session.commit()
    begin_session(user)
    return redirect(attempt.next, 303)


@pages.post("/logout")
@csrf.exempt  # a session is protected all the same (mount.py); without one there is nothing to protect
def logout() -> ResponseReturnValue:
    """Sign out here, or, with `everywhere` in the form, of every session and API token."""
    user = get_user()
    if user and "everywhere" in request.form:
        user.sign_out_everywhere()
    end_session()
    db.session.commit()
    return redirect(home(), 303)
