from typing import Any

from ..extensions import Blueprint, db
from .access import current_user, login_required
from .answers import answering_in_http, check_allowed, check_configured
from .models import ApiToken, User
from .schemas import ApiTokenSchema, ApiTokensSchema, IdTokenSchema, NewApiTokenSchema, UserSchema
from .settings import settings

BIGINT_MAX = 2**63 - 1
NOT_STORED = {"Cache-Control": "no-store"}

api = Blueprint(
    "gauth", __name__, description="Who is signed in, and their API tokens; 404 where signing in is off"
)
api.before_request(check_configured)


@api.post("/gauth/token")
@api.arguments(IdTokenSchema)
@api.response(201, NewApiTokenSchema)
def create(data: dict[str, Any]) -> Any:
    """Get an API token for an ID token of the provider

    An app gets the ID token from the provider by itself; the API token is a bearer token.
    """
    with answering_in_http():
        identity = settings().provider.identify(data["id_token"], data.get("nonce"), data.get("access_token"))
        check_allowed(identity)
        user = User.signed_in(identity)
        user.check_later(identity.proven_at)
    token, text = ApiToken.issue(user, data["label"], settings().token_lifetime)
    db.session.commit()
    shown = {name: getattr(token, name) for name in ApiTokenSchema().fields}
    return shown | {"token": text, "user": user}, NOT_STORED


@api.get("/api/me")
@login_required
@api.response(200, UserSchema)
def show() -> Any:
    """Show who is signed in

    By the session of a browser, or by a bearer token, which goes before it.
    """
    return current_user


@api.get("/api/me/tokens")
@login_required
@api.response(200, ApiTokensSchema)
def index() -> Any:
    """List your API tokens, newest first

    All that have not expired; the tokens themselves are not shown.
    """
    return {"items": db.session.scalars(current_user.tokens), "next": None}


@api.delete(f"/api/me/tokens/<int(min=1, max={BIGINT_MAX}):token_id>")
@login_required
@api.response(204)
def delete(token_id: int) -> None:
    """Revoke an API token

    Whoever sends it is refused from then on.
    """
    db.session.delete(db.one_or_404(current_user.tokens.where(ApiToken.id == token_id)))
    db.session.commit()
