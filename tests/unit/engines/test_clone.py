"""What git makes of the repository on other machines."""

import subprocess
from pathlib import Path

from tests.copies import ROOT


def test_clone_on_windows_has_the_line_ends_that_are_here(tmp_path: Path) -> None:
    command = [
        "git",
        "clone",
        "--quiet",
        "--config",
        "core.autocrlf=true",
        str(ROOT),
        str(tmp_path / "clone"),
    ]
    subprocess.run(command, check=True)
    for name in ("engines/run", "web/entrypoint", "nginx/keep", ".env.example"):
        assert b"\r" not in (tmp_path / "clone" / name).read_bytes()
