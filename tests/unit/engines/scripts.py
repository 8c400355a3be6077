"""Scripts with the functions of the verbs, run in a folder that has them and no stack."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.copies import ROOT

# An engine, as far as these want one.
ENGINE = """
umask 022
fail() { echo "make up: $*"; exit 1; }
say() { :; }
. engines/env.sh
. engines/verbs.sh
verb=up
engine=native
can_open() { true; }
web_user() { echo 1000:1000; }
"""


def copy_scripts(folder: Path) -> None:
    """Copy them, and the example of a .env."""
    shutil.copy2(ROOT / ".env.example", folder)
    shutil.copytree(ROOT / "engines", folder / "engines", ignore=shutil.ignore_patterns("*.py", "module"))


def run(folder: Path, script: str) -> str:
    """Return what a script prints."""
    command = ["bash", "-euc", f"{ENGINE}\n{script}"]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr
