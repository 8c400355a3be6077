"""make deploy: another release in place of the one that serves, without a failed request."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.releases import Production, Typed, posting_notes
from tests.support import reading_notes, wait_until

DUE = "a deploy is due: make deploy"


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
    slow = "import time\n\ntime.sleep(3)\n"
    production.edit("web/app/notes/api.py", "from typing", slow + "from typing")
    production.commit("second")
    with reading_notes(production.url, 2) as read, posting_notes(production.url, 2) as posted:
        wait_until(lambda: read and posted, "requests before the deploy")
        screen = production.make("deploy", "WATCH=0")
        before = len(read), len(posted)
        wait_until(lambda: len(read) > before[0] and len(posted) > before[1], "requests after it")
    return Deploy(style, nginx, read, posted, screen)


# --- a deploy that goes through ---


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
        assert httpx.get(production.url + name, timeout=20).status_code == 200


def test_deploy_brings_the_configuration_of_nginx_without_a_restart(
    production: Production, deploy: Deploy
) -> None:
    assert httpx.get(production.url, timeout=20).headers["Server"].startswith("nginx/")
    assert production.since("nginx") == deploy.nginx_before


def test_deploy_while_another_is_at_work_is_refused(production: Production) -> None:
    production.commit("of_two")
    first = Typed(production, "deploy", "WATCH=0")
    first.await_step("Starting web")
    second = production.try_make("deploy")
    assert first.finish() == 0, first.screen
    assert second.returncode != 0
    assert "make deploy: another make is at work on this stack" in second.stdout
    assert production.status() == "of_two"
    production.assert_whole()


# --- make up where a release serves ---


def test_up_leaves_what_serves_as_it_is(production: Production) -> None:
    before = production.since("web"), production.since("nginx")
    screen = production.make("up")
    assert (production.since("web"), production.since("nginx")) == before
    assert DUE not in screen


def test_up_after_an_edit_says_that_a_deploy_is_due(draft: Production) -> None:
    before, status = draft.since("web"), draft.status()
    draft.say("edited")
    assert DUE in draft.make("up")
    assert draft.since("web") == before
    assert draft.status() == status


def test_doctor_after_an_edit_says_that_a_deploy_is_due(draft: Production) -> None:
    draft.say("edited")
    screen = draft.try_make("doctor").stdout
    assert DUE in screen
    assert "type make up" not in screen


def test_restart_after_an_edit_brings_the_same_release(draft: Production) -> None:
    status = draft.status()
    draft.say("edited")
    draft.make("restart", "S=web")
    assert draft.status() == status
    assert DUE in draft.make("up")


def test_changed_settings_of_the_database_are_named_and_left_to_a_restart(draft: Production) -> None:
    before = draft.since("db")
    draft.edit("db/postgresql.conf", "jit = off", "jit = on")
    for verb in ("up", "deploy"):
        assert "has changed; it is taken up by a restart: make restart S=db" in draft.make(verb, "WATCH=0")
        assert draft.since("db") == before


@pytest.mark.only("docker", because="native's nginx has no files that it cannot take up as it runs")
def test_changed_image_of_nginx_is_taken_up_by_a_restart(draft: Production) -> None:
    before, told = draft.since("nginx"), "the image of nginx has changed; it is taken up by a restart"
    draft.edit("nginx/healthcheck", "# Succeeds", "# It succeeds")
    assert told in draft.try_make("doctor").stdout
    assert draft.since("nginx") == before
    draft.make("restart", "S=nginx")
    assert "It succeeds" in draft.in_nginx("cat /usr/local/bin/healthcheck")
    assert told not in draft.make("up")


@pytest.mark.only("native", because="an image has the packages of its release")
def test_up_after_the_packages_were_changed_starts_what_served(draft: Production) -> None:
    status = draft.status()
    for name in ("requirements", "requirements-native"):
        with (draft.path / f"web/{name}.txt").open("a") as packages:
            packages.write("# another\n")
    draft.make("down")
    screen = draft.make("up")
    assert draft.status() == status
    assert "Installing" not in screen


# --- a deploy that does not go through ---


@contextmanager
def unchanged(production: Production) -> Iterator[None]:
    """Assert that what serves is the same afterwards, and answers."""

    def look() -> dict[str, str]:
        servers = {name: production.since(name) for name in ("db", "web", "nginx")}
        schema, release = production.revision(), production.present()
        return servers | {"status": production.status(), "schema": schema, "release": release}

    before = look()
    yield
    assert look() == before
    assert production.is_ready()


def refused(production: Production, *variables: str) -> str:
    """Type `make deploy`, which is to fail; return what is on the screen."""
    run = production.try_make("deploy", *variables)
    assert run.returncode != 0
    return run.stdout


@pytest.mark.parametrize("name", ["web/gunicorn.conf.py", "web/run.py"])
def test_release_that_does_not_start_is_removed_and_shown(draft: Production, name: str) -> None:
    path = draft.path / name
    path.write_text(f"{path.read_text()}\nraise RuntimeError('does not start')\n")
    with unchanged(draft):
        screen = refused(draft, "WATCH=0")
    assert "last lines of its log" in screen
    assert "Error: does not start" in screen
    assert "does not serve; what was serving still is" in screen


def test_release_that_answers_by_errors_is_switched_back(draft: Production) -> None:
    draft.edit("web/app/notes/api.py", '"""List notes"""', 'raise RuntimeError("of the new release")')
    with unchanged(draft), reading_notes(draft.url, 1) as answers:
        screen = refused(draft, "WATCH=60")
    assert "Switching back, as it answers by a 5xx: " in screen
    assert f"is not well; {draft.present()} serves on" in screen
    assert {status for _, status in answers} == {200, 500}
    assert httpx.get(f"{draft.url}/api/notes", timeout=20).status_code == 200


def test_release_that_is_no_longer_ready_is_switched_back(draft: Production) -> None:
    told = "db.session.scalar(db.text(\"SELECT to_regclass('ill')\"))"
    draft.edit("web/app/health/pages.py", "    if behind:", f"    if behind or {told}:")
    with unchanged(draft):
        deploy = Typed(draft, "deploy", "WATCH=120")
        deploy.await_step("Watching")
        draft.make("psql", stdin="CREATE TABLE ill ()")
        assert deploy.finish() != 0
        draft.make("psql", stdin="DROP TABLE ill")
    assert "Switching back, as it is no longer ready" in deploy.screen


def test_deploy_to_a_port_that_is_taken_is_refused_before_anything_is_changed(draft: Production) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, unchanged(draft):
        port = taken.getsockname()[1]
        assert f"port {port} is taken" in refused(draft, f"HTTP_PORT={port}")


def test_migration_that_fails_is_shown_before_anything_is_started(draft: Production) -> None:
    draft.migrate("bad", "SELECT nonsense")
    with unchanged(draft):
        screen = refused(draft)
    assert "the migration 99991231_235959_bad.py failed and was rolled back" in screen
    assert "not deployed, for the reason above; what was serving still is" in screen
    assert "Starting web" not in screen


def test_migration_that_what_serves_would_fail_on_is_refused(draft: Production) -> None:
    draft.migrate("narrow", "ALTER TABLE notes DROP COLUMN body", compatible=False)
    with unchanged(draft):
        screen = refused(draft)
    assert "99991231_235959_narrow.py is not backward compatible" in screen
    assert "or type make deploy accept=incompatible" in screen
    assert "Starting web" not in screen


def test_configuration_that_nginx_refuses_is_shown_before_anything_is_changed(draft: Production) -> None:
    draft.migrate("wide", "ALTER TABLE notes ADD COLUMN wide integer")
    draft.edit("nginx/nginx.conf", "http {", "http {\n  bogus on;")
    with unchanged(draft):
        screen = refused(draft)
    assert 'unknown directive "bogus"' in screen
    assert "nginx refuses its configuration, for the reason above; what was running still is" in screen


# --- wrong use ---


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (["WATCH=x"], "WATCH=x is not a number from 0 to 3600"),
        (["TAG=bad:tag"], "TAG=bad:tag is no tag of an image, such as a commit"),
        (["TAG=latest"], "TAG=latest is whatever serves; name a release by a tag of its own"),
        (["TAG=unknown"], "TAG=unknown: there is no such release; kept are: "),
        (["accept=nonsense"], "accept=nonsense: say accept=incompatible, or leave it out"),
        (
            [
                "APP_SETTINGS=config.DevelopmentConfig",
                "COMPOSE_FILE=docker-compose.yml:docker-compose.dev.yml",
            ],
            "this is for production, and here is APP_SETTINGS=config.DevelopmentConfig",
        ),
    ],
)
def test_wrong_use_of_deploy_is_told_in_a_line(
    production: Production, variables: list[str], line: str
) -> None:
    with unchanged(production):
        screen = refused(production, *variables)
    said, of_make = (line for line in screen.splitlines() if not line.startswith("==> Note: "))
    assert said.startswith("make deploy: ")
    assert line in said
    assert of_make.startswith("make: *** ")


# --- the way back ---


def test_rollback_of_a_stack_that_is_down_starts_the_release_before(production: Production) -> None:
    production.make("down")
    production.make("rollback")
    assert production.status() == "second"
    production.assert_whole()
