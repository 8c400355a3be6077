"""The platform that the app stands on, of which it knows nothing; a newer one replaces it as a whole.

What is taken from here is loaded then (PEP 562): gunicorn's master needs its part `server` alone, and is not
to hold what its workers load anew when it is edited.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .db.models import Base, db  # at once: the folder has the name of what is in it

if TYPE_CHECKING:
    from .api.blueprint import Blueprint
    from .api.list_arguments import query_of
    from .api.pagination import paginate
    from .api.schema import Schema, page_of
    from .api.search import search_index
    from .factory import csrf, make_app, rest
    from .html.forms import choices, form_state, load_form, load_query, sent_from
    from .http.csp import policy
    from .http.etags import check_match, check_version, etag
    from .http.http_cache import public_cache

PLACES = {
    "api.blueprint": "Blueprint",
    "api.list_arguments": "query_of",
    "api.pagination": "paginate",
    "api.schema": "Schema page_of",
    "api.search": "search_index",
    "factory": "csrf make_app rest",
    "html.forms": "choices form_state load_form load_query sent_from",
    "http.csp": "policy",
    "http.etags": "check_match check_version etag",
    "http.http_cache": "public_cache",
}
__all__ = [
    "Base",
    "Blueprint",
    "Schema",
    "check_match",
    "check_version",
    "choices",
    "csrf",
    "db",
    "etag",
    "form_state",
    "load_form",
    "load_query",
    "make_app",
    "page_of",
    "paginate",
    "policy",
    "public_cache",
    "query_of",
    "rest",
    "search_index",
    "sent_from",
]


def __getattr__(name: str) -> Any:
    """Return what is called `name`, from its place (AttributeError)."""
    for place, names in PLACES.items():
        if name in names.split():
            return getattr(import_module(f".{place}", __name__), name)
    raise AttributeError(f"slipway has no {name}")
