"""The platform that the app stands on, of which it knows nothing; a newer one replaces it as a whole."""

from .api.blueprint import Blueprint
from .api.list_arguments import query_of
from .api.pagination import paginate
from .api.schema import Schema, page_of
from .api.search import search_index
from .db.models import Base, db
from .factory import csrf, make_app, rest
from .html.forms import choices, form_state, load_form, load_query, sent_from
from .http.csp import policy
from .http.etags import check_match, check_version, etag
from .http.http_cache import public_cache

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
