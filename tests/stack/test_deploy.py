"""What `make deploy` refuses, and what `make up` says after an edit."""

import pytest

from tests.releases import DUE, Production, refused, unchanged


def test_up_after_an_edit_says_that_a_deploy_is_due(draft: Production) -> None:
    before, status = draft.since("web"), draft.status()
    draft.say("edited")
    assert DUE in draft.make("up")
    assert draft.since("web") == before
    assert draft.status() == status


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
    before = production.since("web")
    screen = refused(production, *variables)
    assert production.since("web") == before
    said, of_make = (line for line in screen.splitlines() if not line.startswith("==> Note: "))
    assert said.startswith("make deploy: ")
    assert line in said
    assert of_make.startswith("make: *** ")


def test_up_leaves_what_serves_as_it_is(production: Production) -> None:
    before = production.since("web"), production.since("nginx")
    screen = production.make("up")
    assert (production.since("web"), production.since("nginx")) == before
    assert DUE not in screen


def test_changed_settings_of_the_database_are_named_and_left_to_a_restart(draft: Production) -> None:
    before = draft.since("db")
    draft.edit("db/postgresql.conf", "jit = off", "jit = on")
    assert "has changed; it is taken up by a restart: make restart S=db" in draft.make("up")
    assert draft.since("db") == before
