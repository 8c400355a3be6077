"""Headers of every kind of answer, and cookies."""

import re

import pytest

from tests.engines import Stack
from tests.support import get

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "nginx",
}
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
DOCS = PAGE.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "img-src 'self'", "img-src 'self' data:"
)
NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
POLICIES = {
    "/": PAGE,
    "/notes": PAGE,
    "/notes/new": PAGE,
    "/notes/0": PAGE,
    "/notes?limit=x": PAGE,
    "/nowhere": PAGE,
    "/gauth/login": PAGE,
    "/api/docs": DOCS,
    "/api/docs/swagger-ui.css": NO_PAGE,
    "/api/docs/swagger-ui-bundle.js": NO_PAGE,
    "/api/openapi.json": NO_PAGE,
    "/api/notes": NO_PAGE,
    "/api/nowhere": NO_PAGE,
    "/healthz": NO_PAGE,
    "/readyz": NO_PAGE,
    "/static/style.css": NO_PAGE,
    "/static/nowhere.css": NO_PAGE,
    "/static/style.0123456789ab.css": NO_PAGE,
    "/static/../../%": NO_PAGE,
}


@pytest.mark.parametrize("path", POLICIES)
def test_answer_has_each_header_once(stack: Stack, path: str) -> None:
    answer = stack.http.get(path)
    for name, value in (EVERYWHERE | {"Content-Security-Policy": POLICIES[path]}).items():
        assert answer.headers.get_list(name) == [value]
    assert "X-Powered-By" not in answer.headers
    assert not re.search(r"(?i)gunicorn|werkzeug|nginx/|python/", str(answer.headers))


@pytest.mark.parametrize("path", ["/notes", "/notes/new", "/api/docs"])
def test_page_asks_for_nothing_that_its_policy_forbids(stack: Stack, path: str) -> None:
    page = stack.http.get(path).text
    assert not re.search(r"<style|<script(?! src=\"/)| style=| on[a-z]+=|javascript:", page)
    assert not re.findall(r'(?:src|href)="(?!/|#)', page)


def test_cookie_is_for_this_site_and_no_script(stack: Stack) -> None:
    [cookie] = get(f"{stack.url}/notes/new").headers.get_list("Set-Cookie")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
