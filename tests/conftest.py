"""What pytest is told of the tests: which of them run here, and that each answers for what it leaves open."""

import gc
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.engines import engine
from tests.support import ROOT

pytest_plugins = [
    f"tests.{name}" for name in ("fixtures", "browsers", "demo", "doctor", "node", "probe", "secured")
]

LONG = ("bench", "deploy", "drill", "interrupted", "module", "remote")
left_out = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tell pytest the options."""
    parser.addoption("--record", action="store_true", help="write the tables of docs/security.md anew")


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest the markers."""
    # A shell that starts this in the background has it ignored, and what the tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "root: becomes another user, as root alone can")
    config.stash[left_out] = Counter()


def pytest_xdist_auto_num_workers() -> int | None:
    """Return how many files run at a time, one more than cores as they wait for servers; None: as is set."""
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + 1


# --- Which run here ---


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs elsewhere; begin with the files that wait for servers."""
    elsewhere = [item for item in items if where(item)]
    config.stash[left_out].update(f"{item.location[0]}, {where(item)}" for item in elsewhere)
    items[:] = sorted((item for item in items if not where(item)), key=turn)
    config.hook.pytest_deselected(items=elsewhere)


def where(item: pytest.Item) -> str:
    """Return where a test runs if not here."""
    for name in ("docker", "native"):
        if name in folders(item) and name != engine():
            return f"on engine {name} only"
    return "as root only: it becomes another user" if item.get_closest_marker("root") and os.getuid() else ""


def turn(item: pytest.Item) -> int:
    """Return when the file of a test has its turn: those that take minutes first, the unit tests last."""
    return 2 if "unit" in folders(item) else int(item.path.stem.removeprefix("test_") not in LONG)


def folders(item: pytest.Item) -> tuple[str, ...]:
    """Return the folders below tests/ that a test is in."""
    return (
        item.path.relative_to(ROOT / "tests").parent.parts if item.path.is_relative_to(ROOT / "tests") else ()
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Have a worker of pytest-xdist tell what it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(session.config.stash[left_out])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker tells; all of them have left out the same."""
    node.config.stash[left_out] |= Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, and why."""
    for what, number in config.stash[left_out].items():
        terminalreporter.write_line(f"NOT HERE [{number}] {what}")


# --- What a test leaves open ---


def pytest_collection_finish() -> None:
    """Set apart what was imported."""
    collect()


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """Have Python warn of files and sockets that a test leaves open while it is still that test."""
    yield
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):  # they keep a failure's frames
        with suppress(AttributeError):
            delattr(sys, name)
    collect()


def pytest_fixture_post_finalizer(fixturedef: pytest.FixtureDef[Any]) -> None:
    """Likewise for the fixtures that outlive a test."""
    if fixturedef.scope != "function":
        gc.unfreeze()
        collect()


def collect() -> None:
    """Collect garbage, and set apart what is none, so that the next time takes a millisecond."""
    gc.collect()
    gc.freeze()
