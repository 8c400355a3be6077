"""What nginx keeps of what the app has marked, and that it keeps nothing else.

The marked views are those of a module that is put into a checkout, in development, where one process serves.
"""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx
import pytest

from engines.copies import UNLIMITED
from tests.checkouts import Checkout, variables
from tests.support import assert_problem, send_raw, wait_until

same_on_both = pytest.mark.only("native", because="nginx's configuration is the same on both")
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
def http(probed: Checkout) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{probed.url}/api/probe", timeout=30) as client:
        yield client


@pytest.fixture
def fresh() -> str:
    """A query that nobody has asked for yet."""
    return f"n={next(numbers)}"


def state(answer: httpx.Response) -> str | None:
    """Return what nginx tells of its cache."""
    told: str | None = answer.headers.get("X-Cache")
    return told


# --- what is kept ---


def test_marked_answer_is_kept(http: httpx.Client, fresh: str) -> None:
    first, second = (http.get(f"/marked?{fresh}") for _ in range(2))
    assert (state(first), state(second)) == ("MISS", "HIT")
    assert first.json() == second.json()


@same_on_both
def test_page_that_only_looks_for_a_session_is_kept(http: httpx.Client, fresh: str) -> None:
    first, second = (http.get(f"/page?{fresh}") for _ in range(2))
    assert (state(first), state(second)) == ("MISS", "HIT")
    assert first.text == second.text


def test_view_is_asked_without_what_is_somebodys(http: httpx.Client, fresh: str) -> None:
    asked = http.get(f"/marked?{fresh}", headers={"Range": "bytes=0-3", "If-None-Match": '"x"'})
    whole = http.get(f"/marked?{fresh}").json()["asked"]
    assert asked.status_code in (200, 206)
    assert not {"Range", "If-None-Match", "Cookie", "Authorization"} & whole.keys()


@same_on_both
@pytest.mark.parametrize("ask", [1, 2])
def test_answer_has_each_header_once(http: httpx.Client, fresh: str, ask: int) -> None:
    answer = [http.get(f"/marked?{fresh}") for _ in range(ask)][-1]
    assert answer.headers.get_list("Cache-Control") == ["public, s-maxage=60"]
    assert answer.headers.get_list("Content-Type") == ["application/json"]
    assert len(answer.headers.get_list("X-Request-ID")) == 1
    assert len(answer.headers.get_list("Content-Security-Policy")) == 1
    assert "Set-Cookie" not in answer.headers


@same_on_both
def test_request_has_one_id_and_one_line_in_the_log(probed: Checkout, http: httpx.Client, fresh: str) -> None:
    ids = [f"cached-{fresh[2:]}-{number}" for number in range(3)]
    answers = [http.get(f"/marked?{fresh}", headers={"X-Request-ID": given}) for given in ids]
    assert [answer.headers["X-Request-ID"] for answer in answers] == ids
    wait_until(lambda: ids[-1] in probed.make("logs", "S=nginx"), "nginx to log")
    log = probed.make("logs", "S=nginx")
    assert [log.count(f" {given} ") for given in ids] == [1, 1, 1]


@same_on_both
def test_other_addresses_are_other_answers(http: httpx.Client, fresh: str) -> None:
    proxied = {"X-Forwarded-Proto": "https"}
    others: list[dict[str, Any]] = [
        {"params": f"{fresh}&a=1"},
        {"params": fresh, "headers": {"Host": "other.example"}},
        {"params": fresh, "headers": proxied},
    ]
    http.get("/marked", params=fresh)
    answers = [http.get("/marked", **other) for other in others]
    assert [state(answer) for answer in answers] == ["MISS"] * 3
    assert answers[1].json()["url"].startswith("http://other.example/")


@same_on_both
@pytest.mark.parametrize("target", [b"?%", b"?q=%zz&%00", b"?a=\"<>'", b"?q=/../%2f"])
def test_strange_address_is_passed_on_as_it_is(probed: Checkout, fresh: str, target: bytes) -> None:
    line = b"GET /api/probe/marked" + target + b"&" + fresh.encode() + b" HTTP/1.1\r\n"
    request = line + b"Host: localhost\r\nConnection: close\r\n\r\n"
    answers = [send_raw(probed.url, request) for _ in range(2)]
    for answer, told in zip(answers, (b"MISS", b"HIT"), strict=True):
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"X-Cache: " + told in answer


@same_on_both
def test_malformed_address_is_refused(probed: Checkout) -> None:
    answer = send_raw(
        probed.url, b"GET /api/probe/marked% HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 400 ")


@same_on_both
def test_answer_to_head_and_to_a_part_do_not_stand_for_the_whole(http: httpx.Client, fresh: str) -> None:
    assert http.head(f"/marked?{fresh}").status_code == 200
    assert state(whole := http.get(f"/marked?{fresh}")) == "HIT"
    assert whole.json()["run"] == 1
    part = http.get(f"/marked?{fresh}&b", headers={"Range": "bytes=0-3"})
    assert http.get(f"/marked?{fresh}&b").json()["run"] == 1
    assert part.status_code in (200, 206)


@same_on_both
def test_client_that_has_the_answer_is_told_so(http: httpx.Client, fresh: str) -> None:
    tag = {"If-None-Match": 'W/"1"'}
    assert [http.get(f"/marked?{fresh}", headers=tag).status_code for _ in range(2)] == [304, 304]
    assert http.get(f"/marked?{fresh}").json()["run"] == 1


@same_on_both
@pytest.mark.parametrize("ask", [1, 2])
def test_each_origin_is_told_its_own(http: httpx.Client, fresh: str, ask: int) -> None:
    for origin in [*ORIGINS, None] * ask:
        answer = http.get(f"/marked?{fresh}", headers={"Origin": origin} if origin else {})
        assert answer.headers.get("Access-Control-Allow-Origin") == origin
        assert answer.headers.get_list("Vary").count("Origin") == 1


# --- what is not ---


@pytest.mark.parametrize("by", ["nothing", "max-age", "expires", "accel"])
def test_unmarked_answer_is_not_kept(http: httpx.Client, fresh: str, by: str) -> None:
    answers = [http.get(f"/unmarked?by={by}&{fresh}") for _ in range(2)]
    assert [answer.json()["run"] for answer in answers] == [1, 2]
    assert [state(answer) for answer in answers] == [None, None]


@pytest.mark.parametrize("by", ["cookie", "session", "size", "stream"])
def test_answer_that_is_not_everybodys_or_too_large_is_not_kept(
    http: httpx.Client, fresh: str, by: str
) -> None:
    for _ in range(2):
        answer = http.get(f"/refused?by={by}&{fresh}")
        http.cookies.clear()
        assert answer.status_code == 200
        assert state(answer) in ("MISS", None)
    assert (answer.headers["Cache-Control"] == "private, no-store") == (by == "session")


@pytest.mark.parametrize("own", [{"Cookie": "a=b"}, {"Cookie": "0"}, {"Authorization": "Bearer x"}])
def test_request_of_somebody_is_answered_by_the_app(
    http: httpx.Client, fresh: str, own: dict[str, str]
) -> None:
    asked = [http.get(f"/marked?{fresh}", headers=headers) for headers in (own, {}, own)]
    assert [answer.json()["run"] for answer in asked] == [1, 2, 3]
    assert [state(answer) for answer in asked] == [None, "MISS", None]


@same_on_both
@pytest.mark.parametrize("value", ["looked", "fill"])
def test_client_cannot_make_the_offer(http: httpx.Client, fresh: str, value: str) -> None:
    headers = {"X-Cache-Offer": value, "Cookie": "a=b"}
    answer = http.get(f"/marked?{fresh}", headers=headers)
    assert (answer.status_code, state(answer)) == (200, None)
    assert answer.headers["Cache-Control"] == "public, s-maxage=60"


@same_on_both
@pytest.mark.parametrize("status", [404, 503])
def test_error_is_not_kept(http: httpx.Client, fresh: str, status: int) -> None:
    for _ in range(2):
        answer = http.get(f"/failing?status={status}&{fresh}")
        assert_problem(answer, status)
        assert state(answer) is None
        assert "Cache-Control" not in answer.headers


@same_on_both
@pytest.mark.parametrize(
    "conditions",
    [
        {"If-None-Match": '"x"', "If-Modified-Since": "Mon, 23 Nov 2026 00:00:00 GMT"},
        {"Range": "bytes=0-3", "If-Range": '"x"'},
        {"If-Match": '"x"', "If-Unmodified-Since": "Mon, 23 Nov 2026 00:00:00 GMT"},
    ],
)
def test_conditions_are_left_to_the_app_where_it_answers(
    http: httpx.Client, conditions: dict[str, str]
) -> None:
    answer = http.get("/unmarked", headers=conditions)
    assert answer.status_code == 200
    assert {name: answer.json()["asked"].get(name) for name in conditions} == conditions


@same_on_both
def test_head_of_what_is_unmarked_reaches_the_app_as_such(http: httpx.Client) -> None:
    assert http.head("/unmarked").headers["X-Method"] == "HEAD"


# --- many at once ---


def test_view_does_its_work_once_for_all_that_wait(http: httpx.Client, fresh: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(http.get, f"/held?{fresh}") for _ in range(8)]
        path = {"path": f"/api/probe/held?{fresh}"}
        # The offers to each, and the one that was passed on.
        wait_until(lambda: http.get("/arrived", params=path).json() == 9, "all of them to ask")
        http.get(f"/release?{fresh}")
    assert {answer.result().json()["run"] for answer in answers} == {1}
    assert http.get("/arrived", params=path).json() == 9


@same_on_both
def test_requests_for_what_is_unmarked_do_not_wait_for_one_another(http: httpx.Client) -> None:
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(http.get, ["/together"] * 2))
    assert [answer.status_code for answer in answers] == [200, 200]


@same_on_both
def test_answer_before_is_handed_out_while_a_new_one_is_made(http: httpx.Client, fresh: str) -> None:
    path = f"/renewed?{fresh}"
    http.get(path)
    old = [wait_until(lambda: after_its_time(http, path), "it to be stale") for _ in range(3)]
    http.get(f"/release?{fresh}")
    assert [answer.json()["run"] for answer in old] == [1, 1, 1]
    assert {state(answer) for answer in old} <= {"STALE", "UPDATING"}
    wait_until(lambda: http.get(path).json()["run"] > 1, "the new one")


def after_its_time(http: httpx.Client, path: str) -> httpx.Response | None:
    """Return the answer, unless it is one that was made lately.

    Each asks by a connection of its own: one that has brought about a new answer is busy until that is there.
    """
    answer = httpx.get(f"{http.base_url}{path.removeprefix('/')}", timeout=30)
    return None if state(answer) == "HIT" else answer


def test_answer_before_stands_in_where_the_app_is_away(http: httpx.Client, fresh: str) -> None:
    path = f"/lost?status=503&{fresh}"
    http.get(path)
    answer = wait_until(lambda: after_its_time(http, path), "it to be stale")
    assert (answer.status_code, state(answer), answer.json()["run"]) == (200, "STALE", 1)


@same_on_both
def test_answer_before_does_not_stand_in_for_what_is_gone(http: httpx.Client, fresh: str) -> None:
    path = f"/lost?status=404&{fresh}"
    http.get(path)
    assert_problem(wait_until(lambda: after_its_time(http, path), "it to be stale"), 404)


@same_on_both
def test_browsers_are_told_nothing_of_stale_answers(http: httpx.Client, fresh: str) -> None:
    for _ in range(2):
        assert not re.search("stale", str(http.get(f"/marked?{fresh}").headers))
