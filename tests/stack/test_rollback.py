"""make rollback, and which releases there are to go back to."""

from dataclasses import dataclass

import pytest

from tests.releases import Production


@dataclass
class Back:
    """What came of going back from the second release: the schema, and the screens of two verbs after it."""

    schema: str
    refused: str
    up: str


@pytest.fixture(scope="module")
def back(production: Production) -> Back:
    """Going back from the second release, which has a migration more than the first."""
    production.migrate("wide", "ALTER TABLE notes ADD COLUMN wide integer")
    production.commit("second")
    production.make("deploy", "WATCH=0")
    production.make("rollback", "WATCH=0")
    schema, again = production.revision(), production.try_make("rollback", "WATCH=0")
    assert again.returncode != 0
    return Back(schema, again.stdout, production.make("up"))


@pytest.fixture(scope="module")
def incompatible(production: Production, back: Back) -> Production:
    """The production with four releases more, and then one that those before would fail beside."""
    production.add_oldest("old1", "old2", "old3", "old4")
    production.migrate("narrow", "ALTER TABLE notes DROP COLUMN wide", compatible=False)
    production.commit("narrow")
    production.make("deploy", "WATCH=0", "accept=incompatible")
    return production


def test_rollback_leaves_the_schema_as_it_is(back: Back) -> None:
    assert back.schema == "wide"


def test_rollback_from_the_first_release_is_refused(production: Production, back: Back) -> None:
    assert f"make rollback: there is no release before {production.tags['first']}" in back.refused


def test_up_after_a_rollback_leaves_it_and_says_that_a_deploy_is_due(
    production: Production, back: Back
) -> None:
    assert f"web serves the release {production.tags['first']}, and this checkout has other" in back.up


def test_incompatible_migration_is_made_on_request(incompatible: Production) -> None:
    assert incompatible.status() == "narrow"
    assert incompatible.revision() == "narrow"
    incompatible.assert_whole()


def test_of_the_releases_the_newest_five_are_kept(incompatible: Production) -> None:
    tags = incompatible.tags
    served = ["old2", "old3", "old4", tags["first"]]
    kept = [*served, f"{tags['second']} back", tags["narrow"]]
    assert incompatible.releases() == kept
    assert incompatible.kept() == {line.split()[0] for line in kept}


def test_rollback_over_an_incompatible_migration_is_refused(incompatible: Production) -> None:
    before = incompatible.since("web")
    run = incompatible.try_make("rollback", "WATCH=0")
    assert run.returncode != 0
    assert "99991231_235959_narrow.py is not backward compatible, and the database has had it" in run.stdout
    assert f"{incompatible.tags['first']} cannot run on the schema, for the reason above" in run.stdout
    assert incompatible.since("web") == before
    assert incompatible.status() == "narrow"


def test_deploy_of_older_code_that_cannot_run_on_the_schema_is_refused(incompatible: Production) -> None:
    incompatible.git("checkout", "--quiet", incompatible.tags["second"])
    run = incompatible.try_make("deploy", "WATCH=0")
    incompatible.git("checkout", "--quiet", "-")
    assert run.returncode != 0
    assert "99991231_235959_narrow.py is not backward compatible, and the database has had it" in run.stdout
    assert incompatible.status() == "narrow"


def test_release_that_did_not_serve_before_is_left_to_deploy(incompatible: Production) -> None:
    tag = incompatible.tags["second"]
    run = incompatible.try_make("rollback", f"TAG={tag}")
    assert run.returncode != 0
    assert f"TAG={tag} did not serve before" in run.stdout
    assert f"to take it, type make deploy TAG={tag}" in run.stdout
