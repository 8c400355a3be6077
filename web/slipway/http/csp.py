"""What a browser may load for a page, and where its forms may lead.

https://www.w3.org/TR/CSP3/
"""

from functools import lru_cache

from flask import Flask, Response

HEADER = "Content-Security-Policy"
DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def init_app(app: Flask) -> None:
    """Send the policy with each page that has none of its own; with what is no page nginx sends one."""
    app.after_request(add)


def add(response: Response) -> Response:
    """Put the policy into `response`, if that is a page."""
    if response.mimetype == "text/html":
        response.headers.setdefault(HEADER, policy())
    return response


@lru_cache  # not `cache`: a source may be a nonce, another for each answer
def policy(**sources: str) -> str:
    """Return the policy, with other sources for some directives: `policy(img_src="'self' data:")`."""
    others = {name.replace("_", "-"): value for name, value in sources.items()}
    return "; ".join(f"{name} {value}" for name, value in (DIRECTIVES | others).items())
