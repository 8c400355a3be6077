"""Releases that share one virtualenv. (An image has the packages of its release.)"""

from tests.releases import Production


def test_up_after_the_packages_were_changed_starts_what_served(draft: Production) -> None:
    status = draft.status()
    for name in ("requirements", "requirements-native"):
        with (draft.path / f"web/{name}.txt").open("a") as packages:
            packages.write("# another\n")
    draft.make("down")
    screen = draft.make("up")
    assert draft.status() == status
    assert "Installing" not in screen


def test_rollback_to_other_packages_is_refused(production: Production) -> None:
    production.add_oldest("older")
    before = production.since("web")
    with (production.path / ".native/releases/older/web/requirements-native.txt").open("a") as packages:
        packages.write("# another\n")
    run = production.try_make("rollback", "WATCH=0")
    assert run.returncode != 0
    assert "the release older has other packages than venv/, which all releases share" in run.stdout
    assert production.since("web") == before
