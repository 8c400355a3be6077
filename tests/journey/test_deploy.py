"""`make deploy` and `make rollback`: another release serves, and no request fails."""

import re
from dataclasses import dataclass

import pytest

from tests.releases import Production, posting_notes
from tests.support import get, reading_notes, wait_until


@dataclass(frozen=True)
class Deploy:
    """A deploy under load: what was there before, the requests meanwhile, and what was on the screen."""

    style_before: str
    nginx_before: str
    read: list[tuple[float, int]]
    posted: list[tuple[int, int]]
    screen: str


@pytest.fixture(scope="module")
def deploy(production: Production) -> Deploy:
    """The deploy of a release that changes code, a static file and nginx's configuration."""
    style, nginx = production.style(), production.since("nginx")
    production.edit("web/app/static/style.css", "\n", "\n/* second */\n")
    production.edit("nginx/nginx.conf", "server_tokens off", "server_tokens on")
    # What starts slowly is asked too soon, unless that is waited for.
    slow = "import time\n\ntime.sleep(1)\n"
    production.edit("web/app/notes/api.py", "from typing", slow + "from typing")
    production.commit("second")
    with reading_notes(production.url, 2) as read, posting_notes(production.url, 2) as posted:
        wait_until(lambda: read and posted, "requests before the deploy")
        screen = production.make("deploy", "WATCH=0")
        before = len(read), len(posted)
        wait_until(lambda: len(read) > before[0] and len(posted) > before[1], "requests after it")
    return Deploy(style, nginx, read, posted, screen)


def test_deploy_has_the_new_release_serve(production: Production, deploy: Deploy) -> None:
    assert production.status() == "second"
    production.assert_whole()


def test_deploy_tells_its_steps_and_when_they_began(production: Production, deploy: Deploy) -> None:
    tag = production.tags["second"]
    steps = re.findall(r"(?m)^==> \d+:\d\d (.+)$", deploy.screen)
    assert steps[:3] == [f"Building the release {tag}", "Migrating", f"Starting web of {tag}"]
    assert steps[3].startswith("Switching nginx")
    assert steps[-1] == f"{tag} serves"


def test_deploy_lets_no_request_fail(deploy: Deploy) -> None:
    assert {status for _, status in deploy.read} == {200}
    assert {status for status, _ in deploy.posted} == {201}


def test_deploy_loses_no_note(production: Production, deploy: Deploy) -> None:
    screen = production.make("psql", stdin="\\pset format unaligned\nSELECT id FROM notes;")
    assert {str(number) for _, number in deploy.posted} <= set(screen.splitlines())


def test_style_sheet_of_the_page_from_before_is_there_after_a_deploy(
    production: Production, deploy: Deploy
) -> None:
    assert production.style() != deploy.style_before
    for name in (deploy.style_before, production.style()):
        assert get(production.url + name).status_code == 200


def test_deploy_brings_the_configuration_of_nginx_without_a_restart(
    production: Production, deploy: Deploy
) -> None:
    assert get(production.url).headers["Server"].startswith("nginx/")
    assert production.since("nginx") == deploy.nginx_before


@pytest.mark.usefixtures("deploy")
def test_rollback_has_the_release_before_serve_again(production: Production) -> None:
    with reading_notes(production.url, 2) as read:
        screen = production.make("rollback", "WATCH=1")
    assert production.status() == "first"
    production.assert_whole()
    before, after = production.tags["second"], production.tags["first"]
    assert f"Going back from {before} to {after}; the schema stays as it is" in screen
    assert {status for _, status in read} == {200}
