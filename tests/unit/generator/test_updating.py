"""docs/updating.md: a clone with modules of its own takes up a later Slipway without a conflict."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.copies import copy_repository

MODULES = ("book", "author", "shelf")
# What a later version may change: of the app gauth alone.
PLATFORM = [
    "web/slipway/__init__.py",
    "web/slipway/api/schema.py",
    "web/slipway/db/models.py",
    "web/slipway/factory.py",
    "web/app/gauth/access.py",
    "nginx/nginx.conf",
    "nginx/templates/90-server.conf.template",
    "engines/run",
    "generator/render.py",
    "tests/unit/slipway/api/test_schema_of_later.py",
    "docker-compose.yml",
    "Makefile",
]


def git(folder: Path, *words: str) -> str:
    """Return what git prints in `folder`."""
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    return subprocess.check_output(["git", *who, *words], cwd=folder, text=True, stderr=subprocess.STDOUT)


def add(path: Path, line: str) -> None:
    """Add a line to a file."""
    path.write_text(f"{path.read_text() if path.exists() else ''}\n{line}\n")


@pytest.fixture
def slipway(tmp_path: Path) -> Path:
    """Slipway's own repository."""
    copy_repository(tmp_path / "slipway")
    git(tmp_path / "slipway", "init", "--quiet", "--initial-branch=main")
    git(tmp_path / "slipway", "add", ".")
    git(tmp_path / "slipway", "commit", "--quiet", "--message=first")
    return tmp_path / "slipway"


def test_clone_with_modules_takes_up_a_later_platform(
    slipway: Path, tmp_path: Path, make_in: Callable[[Path, str, str, str], list[str]]
) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(slipway), "clone")
    for name in MODULES:
        make_in(clone, name, "title:string:search", "")
    for path in ("web/app/extensions.py", "web/config.py"):
        add(clone / path, "MAIL = True")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message=our modules")
    for path in PLATFORM:
        add(slipway / path, "# of a later version")
    git(slipway, "add", ".")
    git(slipway, "commit", "--quiet", "--message=later")
    git(clone, "pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
    assert git(clone, "status", "--short") == ""
    assert all("# of a later version" in (clone / path).read_text() for path in PLATFORM)
    assert '"books",' in (clone / "web/app/__init__.py").read_text()
