"""Edits in a checkout."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.checkouts import Checkout


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
