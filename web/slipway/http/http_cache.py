"""Answers that nginx may keep and hand to everybody (nginx/snippets/cache.conf)."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from flask import Response, after_this_request, request

OFFER = "X-Cache-Offer"  # set by nginx alone: LOOKED where it has no answer, FILL where it keeps what comes
LOOKED, FILL = "looked", "fill"
STALE = 60  # seconds that an answer is handed out beyond its time, while a new one is made

P = ParamSpec("P")
R = TypeVar("R")


def public_cache(seconds: int) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Let nginx answer with what the view has answered, for `seconds`, whoever asks without cookie and token.

    It stands anywhere below the route of a view. What depends on who asks must not be marked; an answer
    with a cookie, or made with a session, is not kept, nor is one that is no 200.
    """
    if seconds < 1:
        raise ValueError("public_cache wants one second or more")

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def marked(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            if request.headers.get(OFFER) == LOOKED:
                return to_cache()
            after_this_request(partial(mark, seconds=seconds))
            return view(*args, **kwargs)

        return marked

    return decorate


def to_cache() -> Response:
    """Send the request on to where nginx passes on one at a time, and others wait for what it brings.

    https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_lock
    """
    response = Response(status=204, headers={"X-Accel-Redirect": "@cached"})
    del response.headers["Content-Type"]  # nginx would put it on the answer that follows
    return response


def mark(response: Any, seconds: int) -> Any:
    """Say in `response` how long it may be kept, unless it is an error or says so itself."""
    if response.status_code == 200 and request.method in ("GET", "HEAD"):
        value = f"public, s-maxage={seconds}"
        if request.headers.get(OFFER) == FILL:
            # https://www.rfc-editor.org/rfc/rfc5861#section-3, which nginx goes by and hides from clients
            value += f", stale-while-revalidate={STALE}"
        response.headers.setdefault("Cache-Control", value)
    return response
