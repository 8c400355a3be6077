"""A checkout that a file of tests does with as it likes."""

from collections.abc import Callable, Iterator

import pytest

from tests.checkouts import Checkout


@pytest.fixture(scope="module")
def other(clone: Callable[[str], Checkout]) -> Iterator[Checkout]:
    """A checkout to do as one likes with."""
    other = clone("other")
    yield other
    other.make("clean", "sure=yes")
