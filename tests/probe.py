"""A module of views that nginx may cache, or may not, in development, where one process serves."""

import shutil
from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from tests.checkouts import Checkout, variables
from tests.copies import UNLIMITED
from tests.support import PATIENCE, wait_until

ORIGINS = ["https://app.example.com", "http://localhost:3000"]


PROBE = """
import threading
from collections import Counter, defaultdict

from flask import Blueprint, abort, jsonify, render_template_string, request, session

from ..extensions import public_cache

pages = Blueprint("probe", __name__, url_prefix="/api/probe")
arrived, runs = Counter(), Counter()
held, two = defaultdict(threading.Event), threading.Barrier(2)
SOURCES = {
    "max-age": {"Cache-Control": "public, max-age=60"},
    "expires": {"Expires": "Thu, 31 Dec 2099 00:00:00 GMT"},
    "accel": {"X-Accel-Expires": "60"},
}
OWN = {"Cache-Control": "public, s-maxage=1"}


@pages.before_request
def arrive():
    arrived[request.full_path] += 1


def answer(**headers):
    runs[request.full_path] += 1
    facts = {"run": runs[request.full_path], "url": request.url, "asked": dict(request.headers)}
    return jsonify(facts), headers | {"X-Method": request.method}


@pages.get("/arrived")
def index():
    return jsonify(arrived[request.args["path"]])


@pages.get("/release")
def release():
    held[request.args["n"]].set()
    return ""


@pages.get("/unmarked")
def unmarked():
    return answer(**SOURCES.get(request.args.get("by"), {}))


@pages.get("/together")
def together():
    two.wait(timeout=4)  # shorter than nginx would have one wait for another
    return ""


@pages.get("/marked")
@public_cache(60)
def marked():
    return answer(ETag='W/"1"')


@pages.get("/page")
@public_cache(60)
def page():
    session.get("seen")
    return render_template_string('{% extends "layout.html" %}')


@pages.get("/failing")
@public_cache(60)
def failing():
    answer()
    abort(int(request.args["status"]))


@pages.get("/refused")
@public_cache(60)
def refused():
    made, headers = answer()
    if request.args["by"] == "cookie":
        made.set_cookie("a", "b")
    elif request.args["by"] == "session":
        session["seen"] = True
    elif request.args["by"] == "size":
        made.set_data(b"x" * 1_000_000)
    else:
        made.response, made.headers["Content-Length"] = iter([b"x"]), None
        made.headers.remove("Content-Length")
    return made, headers


@pages.get("/held")
@public_cache(60)
def hold():
    held[request.args["n"]].wait(timeout=20)
    return answer()


@pages.get("/renewed")
@public_cache(1)
def renewed():
    if runs[request.full_path]:
        held[request.args["n"]].wait(timeout=20)
    return answer()


@pages.get("/lost")
@public_cache(60)
def lost():
    if runs[request.full_path]:
        abort(int(request.args["status"]))
    return answer(**OWN)
"""


numbers = count(1)


@pytest.fixture(scope="module")
def probed(checkout: Checkout) -> Iterator[Checkout]:
    """A checkout that serves the views above."""
    module, listing = checkout.path / "web/app/probe", checkout.path / "web/app/__init__.py"
    source = listing.read_text()
    module.mkdir()
    (module / "pages.py").write_text(PROBE)
    (module / "__init__.py").write_text('from .pages import pages\n\n__all__ = ["pages"]\n')
    listing.write_text(source.replace("MODULES = [\n", 'MODULES = [\n    "probe",\n'))
    checkout.make(
        "up", *variables(UNLIMITED | {"CORS_ORIGINS": ",".join(ORIGINS), "CLIENT_CONNECTIONS": "50"})
    )
    wait_until(lambda: checkout.get("/api/probe/arrived?path=x").status_code == 200, "the probe to be served")
    yield checkout
    listing.write_text(source)
    shutil.rmtree(module)
    checkout.make("up")


def is_served(checkout: Checkout) -> bool:
    """Tell whether the views answer."""
    answer = checkout.get("/api/probe/arrived?path=x")
    return answer is not None and answer.status_code == 200


@pytest.fixture
def probe(probed: Checkout) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{probed.url}/api/probe", timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def fresh() -> str:
    """A query that nobody has asked for yet."""
    return f"n={next(numbers)}"


def state(answer: httpx.Response) -> str | None:
    """Return what nginx tells of its cache."""
    told: str | None = answer.headers.get("X-Cache")
    return told
