"""Deploys that do not go through, and verbs beside them: what each engine does to its web and its nginx."""

import socket

import pytest

from tests.engines import engine
from tests.releases import DUE, Production, Typed, refused, unchanged
from tests.support import get, reading_notes


@pytest.fixture(scope="module")
def refused_meanwhile(production: Production) -> str:
    """What a deploy shows that is typed while another is at work; of that comes a sixth release, "second"."""
    production.add_oldest("old1", "old2", "old3", "old4")
    production.commit("second")
    with Typed(production, "deploy", "WATCH=0") as first:
        first.await_step("Starting web")
        screen = refused(production)
        assert first.finish() == 0, first.screen
    return screen


def test_deploy_while_another_is_at_work_is_refused(production: Production, refused_meanwhile: str) -> None:
    assert "make deploy: another make is at work on this stack" in refused_meanwhile
    assert production.status() == "second"
    production.assert_whole()


@pytest.mark.usefixtures("refused_meanwhile")
def test_five_releases_are_kept(production: Production) -> None:
    kept = ["old2", "old3", "old4", production.tags["first"], production.tags["second"]]
    assert production.releases() == kept
    assert production.kept() == set(kept)


def test_restart_after_an_edit_brings_the_same_release(draft: Production) -> None:
    status = draft.status()
    draft.say("edited")
    draft.make("restart", "S=web")
    assert draft.status() == status
    assert DUE in draft.make("up")


@pytest.mark.parametrize("name", ["web/run.py", *(["web/gunicorn.conf.py"] if engine() == "native" else [])])
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
        screen = refused(draft, "WATCH=600")
    assert "Switching back, as it answers by a 5xx: " in screen
    assert f"is not well; {draft.present()} serves on" in screen
    assert {status for _, status in answers} == {200, 500}
    assert get(f"{draft.url}/api/notes").status_code == 200


def test_release_that_is_no_longer_ready_is_switched_back(draft: Production) -> None:
    told = "db.session.scalar(db.text(\"SELECT to_regclass('ill')\"))"
    draft.edit("web/slipway/http/health.py", "    if behind:", f"    if behind or {told}:")
    draft.edit("docker-compose.yml", "interval: 8s", "interval: 1s")
    with unchanged(draft):
        with Typed(draft, "deploy", "WATCH=600") as deploy:
            deploy.await_step("Watching")
            draft.make("psql", stdin="CREATE TABLE ill ()")
            assert deploy.finish() != 0
        draft.make("psql", stdin="DROP TABLE ill")
    assert "Switching back, as it is no longer ready" in deploy.screen


def test_configuration_that_nginx_refuses_is_shown_before_anything_is_changed(draft: Production) -> None:
    draft.migrate("wide", "ALTER TABLE notes ADD COLUMN wide integer")
    draft.edit("nginx/nginx.conf", "http {", "http {\n  bogus on;")
    with unchanged(draft):
        screen = refused(draft)
    assert 'unknown directive "bogus"' in screen
    assert "nginx refuses its configuration, for the reason above; what was running still is" in screen


def test_deploy_to_a_port_that_is_taken_is_refused_before_anything_is_changed(draft: Production) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, unchanged(draft):
        port = taken.getsockname()[1]
        assert f"port {port} is taken" in refused(draft, f"HTTP_PORT={port}")


def test_doctor_after_an_edit_says_that_a_deploy_is_due(draft: Production) -> None:
    draft.say("edited")
    screen = draft.try_make("doctor").stdout
    assert DUE in screen
    assert "type make up" not in screen


@pytest.mark.usefixtures("refused_meanwhile")
def test_rollback_of_a_stack_that_is_down_starts_the_release_before(production: Production) -> None:
    production.make("down")
    production.make("rollback")
    assert production.status() == "first"
    production.assert_whole()
