"""Edits in a checkout, and a production with releases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.checkouts import Checkout
from tests.releases import Production


@pytest.fixture
def edit(checkout: Checkout) -> Iterator[Callable[[str, str, str], None]]:
    """Return a function that replaces text in a file, until the test is over."""
    originals: dict[Path, str] = {}

    def replace(name: str, old: str, new: str) -> None:
        path = checkout.path / name
        originals.setdefault(path, path.read_text())
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    yield replace
    for path, text in originals.items():
        path.write_text(text)


@pytest.fixture(scope="module")
def production(answering_engine: str, clone: Callable[[str], Checkout]) -> Iterator[Production]:
    """A checkout in production, whose first release serves and says "first"; each test leaves one serving."""
    production = Production(clone("production"))
    production.commit("first")
    production.make("up")
    yield production
    production.make("clean", "sure=yes")


@pytest.fixture
def draft(production: Production) -> Iterator[Production]:
    """The production, in whose files a test may change what it does not commit."""
    yield production
    production.restore()
