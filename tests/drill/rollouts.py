"""The rollouts of a drill, and what each is to come to."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from .site import Site, VerbFailed

SHORT = ("migration", "broken", "rollback", "change", "migration")
LONGER = ("change", "change", "migration", "change", "unready")
LONG = (*SHORT, *LONGER, *SHORT, "migration", "change", "change", "change", "change")


def plan(number: int) -> list[str]:
    """Return the kinds of so many rollouts: of 20, a third has a migration, three are broken, two go back."""
    return [LONG[place % len(LONG)] for place in range(number)]


@dataclass(frozen=True)
class Rollout:
    """One of them: what it was, and how many seconds it took."""

    kind: str
    seconds: float


def roll_out(site: Site, kind: str, name: str, watch: int) -> Rollout:
    """Make a rollout of this kind (AssertionError, VerbFailed)."""
    before, began = site.release(), time.monotonic()
    WORKS[kind](site, name, f"WATCH={watch}")
    took = time.monotonic() - began
    if kind in ("broken", "unready"):
        assert site.release() == before
        site.restore()
    return Rollout(kind, took)


def change(site: Site, name: str, watch: str) -> None:
    """Deploy another code."""
    site.change(name)
    site.commit(name)
    site.make("deploy", watch)
    assert site.release() == name


def migration(site: Site, name: str, watch: str) -> None:
    """Deploy another code with a migration."""
    site.migrate(f"drill_{name}")
    change(site, name, watch)


def broken(site: Site, name: str, watch: str) -> None:
    """Deploy an image that does not start."""
    site.change(name)
    site.edit("web/gunicorn.conf.py", "import os\n", "import os\nimport nothing\n")
    refuse(site, watch, "No module named 'nothing'")


def unready(site: Site, name: str, watch: str) -> None:
    """Deploy an image whose app does not import."""
    site.change(name)
    site.edit("web/app/drill/api.py", "import time\n", "import time\nimport nothing\n")
    refuse(site, watch, "No module named 'nothing'")


def refuse(site: Site, watch: str, reason: str) -> None:
    """Type make deploy, which is to fail, and to tell why."""
    screen = ""
    try:
        site.make("deploy", watch)
    except VerbFailed as error:
        screen = str(error)
    assert reason in screen, screen
    assert "what was serving still is" in screen, screen


def rollback(site: Site, _: str, watch: str) -> None:
    """Go back to the release before."""
    now = site.release()
    screen = site.make("rollback", watch)
    assert re.search(r"Going back from \S+ to \S+; the schema stays as it is", screen)
    assert site.release() != now


WORKS: dict[str, Callable[[Site, str, str], None]] = {
    "broken": broken,
    "change": change,
    "migration": migration,
    "rollback": rollback,
    "unready": unready,
}
