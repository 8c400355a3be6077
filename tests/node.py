"""Programs of others that run on Node.js: the packages of tests/npm/package-lock.json."""

import fcntl
import shutil
import subprocess

import pytest

from tests.support import ROOT, cannot_run

FOLDER = ROOT / "tests/npm"


@pytest.fixture(scope="session")
def node_modules() -> None:
    """Have the packages installed, once for all workers, and anew if the lock file is newer."""
    if not shutil.which("npm"):
        cannot_run("there is no npm here (Debian: apt install npm)")
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules/.package-lock.json"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=FOLDER, check=True)
