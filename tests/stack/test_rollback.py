"""make rollback, and which releases there are to go back to."""

from dataclasses import dataclass, field

import pytest

from tests.releases import Production

PACKAGES = "native has one virtualenv for all releases"


@dataclass
class Back:
    """What going back has come to: what was served each time, the schemas, and two screens."""

    served: list[str] = field(default_factory=list)
    screens: list[str] = field(default_factory=list)
    schemas: list[str] = field(default_factory=list)
    refused: str = ""
    up: str = ""


@pytest.fixture(scope="module")
def back(production: Production) -> Back:
    """Going back from the third release, which has a migration more than the first, until it is refused."""
    production.migrate("wide", "ALTER TABLE notes ADD COLUMN wide integer")
    for status in ("second", "third"):
        production.commit(status)
        production.make("deploy", "WATCH=0")
    came = Back(schemas=[production.revision()])
    for _ in range(2):
        came.screens.append(production.make("rollback", "WATCH=0"))
        came.served.append(production.status())
        production.assert_whole()
        came.schemas.append(production.revision())
    run = production.try_make("rollback", "WATCH=0")
    assert run.returncode != 0
    came.refused = run.stdout
    came.up = production.make("up")
    return came


@pytest.fixture(scope="module")
def incompatible(production: Production, back: Back) -> Production:
    """The production with four releases more, and then one that those before would fail beside."""
    production.add_oldest("old1", "old2", "old3", "old4")
    production.migrate("narrow", "ALTER TABLE notes DROP COLUMN wide", compatible=False)
    production.commit("narrow")
    production.make("deploy", "WATCH=0", "accept=incompatible")
    return production


def test_rollback_goes_back_a_release_each_time(production: Production, back: Back) -> None:
    assert back.served == ["second", "first"]
    first, second, third = (production.tags[status] for status in ("first", "second", "third"))
    assert f"Going back from {third} to {second}; the schema stays as it is" in back.screens[0]
    assert f"Going back from {second} to {first}; " in back.screens[1]


def test_rollback_leaves_the_schema_as_it_is(back: Back) -> None:
    assert back.schemas == ["wide"] * 3


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
    kept = [*served, f"{tags['second']} back", f"{tags['third']} back", tags["narrow"]]
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
    incompatible.git("checkout", "--quiet", incompatible.tags["third"])
    run = incompatible.try_make("deploy", "WATCH=0")
    incompatible.git("checkout", "--quiet", "-")
    assert run.returncode != 0
    assert "99991231_235959_narrow.py is not backward compatible, and the database has had it" in run.stdout
    assert incompatible.status() == "narrow"


def test_release_that_did_not_serve_before_is_left_to_deploy(incompatible: Production) -> None:
    tag = incompatible.tags["third"]
    run = incompatible.try_make("rollback", f"TAG={tag}")
    assert run.returncode != 0
    assert f"TAG={tag} did not serve before" in run.stdout
    assert f"to take it, type make deploy TAG={tag}" in run.stdout


@pytest.mark.only("native", because=PACKAGES)
def test_rollback_to_other_packages_is_refused(incompatible: Production) -> None:
    tag, before = incompatible.tags["first"], incompatible.since("web")
    with (incompatible.path / ".native/releases" / tag / "web/requirements-native.txt").open("a") as packages:
        packages.write("# another\n")
    run = incompatible.try_make("rollback", "WATCH=0")
    assert run.returncode != 0
    assert f"the release {tag} has other packages than venv/, which all releases share" in run.stdout
    assert incompatible.since("web") == before
