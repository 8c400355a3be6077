"""A note, a static file and an error, through nginx."""

import re

import httpx
import pytest

from tests.engines import Stack
from tests.support import assert_problem, wait_until


@pytest.fixture
def http(stack: Stack) -> httpx.Client:
    return stack.http


def test_notes_are_created_listed_changed_and_deleted(http: httpx.Client) -> None:
    created = http.post("/api/notes", json={"title": "Rope", "body": "20 m"})
    assert created.status_code == 201
    url = created.headers["Location"]
    assert http.get("/api/notes", params={"limit": 1}).json()["items"] == [created.json()]
    changed = http.patch(url, json={"body": "30 m"}, headers={"If-Match": created.headers["ETag"]})
    assert (changed.status_code, changed.json()["body"]) == (200, "30 m")
    assert http.get(url).json() == changed.json()
    assert http.delete(url).status_code == 204
    assert_problem(http.get(url), 404)


def test_static_file_is_linked_by_its_content_and_kept_for_a_year(http: httpx.Client) -> None:
    [link] = re.findall(r'href="(/static/style\.[0-9a-f]{12}\.css)"', http.get("/").text)
    answer = http.get(link)
    assert (answer.status_code, answer.text) == (200, http.get("/static/style.css").text)
    assert answer.headers.get_list("Cache-Control") == ["public, max-age=31536000, immutable"]


def test_error_of_nginx_outside_the_api_is_a_page(http: httpx.Client) -> None:
    answer = http.get("/static/nowhere.css")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["X-Request-ID"] in answer.text


def test_request_id_is_in_answer_and_both_logs(stack: Stack) -> None:
    answer = stack.http.get("/api/notes/0", headers={"X-Request-ID": "from-the-client-1"})
    assert answer.headers.get_list("X-Request-ID") == ["from-the-client-1"]
    assert answer.json()["request_id"] == "from-the-client-1"
    wait_until(lambda: '"request_id":"from-the-client-1"' in stack.logs("nginx"), "nginx to log it")
    wait_until(lambda: '"request_id":"from-the-client-1"' in stack.logs("web"), "web to log it")


def test_api_page_loads_from_here(http: httpx.Client) -> None:
    page = http.get("/api/docs").text
    for url in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert http.get(url).status_code == 200, url
