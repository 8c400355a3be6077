from collections.abc import Callable
from pathlib import Path

import pytest

from generator import __main__ as command
from tests.checkouts import copy_repository

MakeIn = Callable[[Path, str, str, str], list[str]]


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository, in which nothing is made."""
    path = tmp_path_factory.mktemp("pristine") / "checkout"
    copy_repository(path)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this repository, in which modules can be made."""
    copy_repository(tmp_path / "checkout")
    return tmp_path / "checkout"


@pytest.fixture
def make_in(monkeypatch: pytest.MonkeyPatch) -> MakeIn:
    """Return a function that makes a module in a checkout, as `make module` does, and returns its files."""

    def make(checkout: Path, name: str, fields: str, owned: str) -> list[str]:
        for variable, value in (("NAME", name), ("FIELDS", fields), ("OWNED", owned)):
            monkeypatch.setenv(variable, value)
        return command.make(checkout)

    return make


@pytest.fixture
def make(checkout: Path, make_in: MakeIn) -> Callable[..., list[str]]:
    """Return a function that makes a module in the checkout."""
    return lambda name, fields, owned="": make_in(checkout, name, fields, owned)
