"""What nginx keeps of what the app has marked, and that it keeps nothing else.

The marked views are those of a module that is put into a checkout, in development, where one process serves.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.checkouts import Checkout
from tests.probe import state
from tests.support import assert_problem, get, send_raw, wait_until

# --- what is kept ---


def test_page_that_only_looks_for_a_session_is_kept(probe: httpx.Client, fresh: str) -> None:
    first, second = (probe.get(f"/page?{fresh}") for _ in range(2))
    assert (state(first), state(second)) == ("MISS", "HIT")
    assert first.text == second.text


def test_view_is_asked_without_what_is_somebodys(probe: httpx.Client, fresh: str) -> None:
    asked = probe.get(f"/marked?{fresh}", headers={"Range": "bytes=0-3", "If-None-Match": '"x"'})
    whole = probe.get(f"/marked?{fresh}").json()["asked"]
    assert asked.status_code in (200, 206)
    assert not {"Range", "If-None-Match", "Cookie", "Authorization"} & whole.keys()


@pytest.mark.parametrize("ask", [1, 2])
def test_answer_has_each_header_once(probe: httpx.Client, fresh: str, ask: int) -> None:
    answer = [probe.get(f"/marked?{fresh}") for _ in range(ask)][-1]
    assert answer.headers.get_list("Cache-Control") == ["public, s-maxage=60"]
    assert answer.headers.get_list("Content-Type") == ["application/json"]
    assert len(answer.headers.get_list("X-Request-ID")) == 1
    assert len(answer.headers.get_list("Content-Security-Policy")) == 1
    assert "Set-Cookie" not in answer.headers


def test_request_has_one_id_and_one_line_in_the_log(
    probed: Checkout, probe: httpx.Client, fresh: str
) -> None:
    ids = [f"cached-{fresh[2:]}-{number}" for number in range(3)]
    answers = [probe.get(f"/marked?{fresh}", headers={"X-Request-ID": given}) for given in ids]
    assert [answer.headers["X-Request-ID"] for answer in answers] == ids
    wait_until(lambda: ids[-1] in probed.make("logs", "S=nginx"), "nginx to log")
    log = probed.make("logs", "S=nginx")
    assert [log.count(f" {given} ") for given in ids] == [1, 1, 1]


def test_other_addresses_are_other_answers(probe: httpx.Client, fresh: str) -> None:
    proxied = {"X-Forwarded-Proto": "https"}
    others: list[dict[str, Any]] = [
        {"params": f"{fresh}&a=1"},
        {"params": fresh, "headers": {"Host": "other.example"}},
        {"params": fresh, "headers": proxied},
    ]
    probe.get("/marked", params=fresh)
    answers = [probe.get("/marked", **other) for other in others]
    assert [state(answer) for answer in answers] == ["MISS"] * 3
    assert answers[1].json()["url"].startswith("http://other.example/")


@pytest.mark.parametrize("target", [b"?%", b"?q=%zz&%00", b"?a=\"<>'", b"?q=/../%2f"])
def test_strange_address_is_passed_on_as_it_is(probed: Checkout, fresh: str, target: bytes) -> None:
    line = b"GET /api/probe/marked" + target + b"&" + fresh.encode() + b" HTTP/1.1\r\n"
    request = line + b"Host: localhost\r\nConnection: close\r\n\r\n"
    answers = [send_raw(probed.url, request) for _ in range(2)]
    for answer, told in zip(answers, (b"MISS", b"HIT"), strict=True):
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"X-Cache: " + told in answer


def test_malformed_address_is_refused(probed: Checkout) -> None:
    answer = send_raw(
        probed.url, b"GET /api/probe/marked% HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_answer_to_head_and_to_a_part_do_not_stand_for_the_whole(probe: httpx.Client, fresh: str) -> None:
    assert probe.head(f"/marked?{fresh}").status_code == 200
    assert state(whole := probe.get(f"/marked?{fresh}")) == "HIT"
    assert whole.json()["run"] == 1
    part = probe.get(f"/marked?{fresh}&b", headers={"Range": "bytes=0-3"})
    assert probe.get(f"/marked?{fresh}&b").json()["run"] == 1
    assert part.status_code in (200, 206)


def test_client_that_has_the_answer_is_told_so(probe: httpx.Client, fresh: str) -> None:
    tag = {"If-None-Match": 'W/"1"'}
    assert [probe.get(f"/marked?{fresh}", headers=tag).status_code for _ in range(2)] == [304, 304]
    assert probe.get(f"/marked?{fresh}").json()["run"] == 1


# --- what is not ---


@pytest.mark.parametrize("by", ["nothing", "max-age", "expires", "accel"])
def test_unmarked_answer_is_not_kept(probe: httpx.Client, fresh: str, by: str) -> None:
    answers = [probe.get(f"/unmarked?by={by}&{fresh}") for _ in range(2)]
    assert [answer.json()["run"] for answer in answers] == [1, 2]
    assert [state(answer) for answer in answers] == [None, None]


@pytest.mark.parametrize("by", ["cookie", "session", "size", "stream"])
def test_answer_that_is_not_everybodys_or_too_large_is_not_kept(
    probe: httpx.Client, fresh: str, by: str
) -> None:
    for _ in range(2):
        answer = probe.get(f"/refused?by={by}&{fresh}")
        probe.cookies.clear()
        assert answer.status_code == 200
        assert state(answer) in ("MISS", None)
    assert (answer.headers["Cache-Control"] == "private, no-store") == (by == "session")


@pytest.mark.parametrize("value", ["looked", "fill"])
def test_client_cannot_make_the_offer(probe: httpx.Client, fresh: str, value: str) -> None:
    headers = {"X-Cache-Offer": value, "Cookie": "a=b"}
    answer = probe.get(f"/marked?{fresh}", headers=headers)
    assert (answer.status_code, state(answer)) == (200, None)
    assert answer.headers["Cache-Control"] == "public, s-maxage=60"


@pytest.mark.parametrize("status", [404, 503])
def test_error_is_not_kept(probe: httpx.Client, fresh: str, status: int) -> None:
    for _ in range(2):
        answer = probe.get(f"/failing?status={status}&{fresh}")
        assert_problem(answer, status)
        assert state(answer) is None
        assert "Cache-Control" not in answer.headers


@pytest.mark.parametrize(
    "conditions",
    [
        {"If-None-Match": '"x"', "If-Modified-Since": "Mon, 23 Nov 2026 00:00:00 GMT"},
        {"Range": "bytes=0-3", "If-Range": '"x"'},
        {"If-Match": '"x"', "If-Unmodified-Since": "Mon, 23 Nov 2026 00:00:00 GMT"},
    ],
)
def test_conditions_are_left_to_the_app_where_it_answers(
    probe: httpx.Client, conditions: dict[str, str]
) -> None:
    answer = probe.get("/unmarked", headers=conditions)
    assert answer.status_code == 200
    assert {name: answer.json()["asked"].get(name) for name in conditions} == conditions


def test_head_of_what_is_unmarked_reaches_the_app_as_such(probe: httpx.Client) -> None:
    assert probe.head("/unmarked").headers["X-Method"] == "HEAD"


# --- many at once ---


def test_view_does_its_work_once_for_all_that_wait(probe: httpx.Client, fresh: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(probe.get, f"/held?{fresh}") for _ in range(8)]
        path = {"path": f"/api/probe/held?{fresh}"}
        # The offers to each, and the one that was passed on.
        wait_until(lambda: probe.get("/arrived", params=path).json() == 9, "all of them to ask")
        probe.get(f"/release?{fresh}")
    assert {answer.result().json()["run"] for answer in answers} == {1}
    assert probe.get("/arrived", params=path).json() == 9


def test_requests_for_what_is_unmarked_do_not_wait_for_one_another(probe: httpx.Client) -> None:
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(probe.get, ["/together"] * 2))
    assert [answer.status_code for answer in answers] == [200, 200]


def test_answer_before_is_handed_out_while_a_new_one_is_made(probe: httpx.Client, fresh: str) -> None:
    path = f"/renewed?{fresh}"
    probe.get(path)
    old = [wait_until(lambda: after_its_time(probe, path), "it to be stale") for _ in range(3)]
    probe.get(f"/release?{fresh}")
    assert [answer.json()["run"] for answer in old] == [1, 1, 1]
    assert {state(answer) for answer in old} <= {"STALE", "UPDATING"}
    wait_until(lambda: probe.get(path).json()["run"] > 1, "the new one")


def after_its_time(probe: httpx.Client, path: str) -> httpx.Response | None:
    """Return the answer, unless it is one that was made lately.

    Each asks by a connection of its own: one that has brought about a new answer is busy until that is there.
    """
    answer = get(f"{probe.base_url}{path.removeprefix('/')}")
    return None if state(answer) == "HIT" else answer


def test_answer_before_stands_in_where_the_app_is_away(probe: httpx.Client, fresh: str) -> None:
    path = f"/lost?status=503&{fresh}"
    probe.get(path)
    answer = wait_until(lambda: after_its_time(probe, path), "it to be stale")
    assert (answer.status_code, state(answer), answer.json()["run"]) == (200, "STALE", 1)


def test_answer_before_does_not_stand_in_for_what_is_gone(probe: httpx.Client, fresh: str) -> None:
    path = f"/lost?status=404&{fresh}"
    probe.get(path)
    assert_problem(wait_until(lambda: after_its_time(probe, path), "it to be stale"), 404)


def test_browsers_are_told_nothing_of_stale_answers(probe: httpx.Client, fresh: str) -> None:
    for _ in range(2):
        assert not re.search("stale", str(probe.get(f"/marked?{fresh}").headers))
