"""Where a stack that DEPLOY_HOST has on another machine is reached."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.copies import ROOT

SSH = """#!/bin/sh
# As `ssh -G HOST`, which tells what ~/.ssh/config has of a host; here of one, of the name alias.
case "$2" in alias) echo "user deploy"; echo "hostname 192.0.2.7" ;; *) echo "hostname $2" ;; esac
"""


def run(script: str, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script with the functions of engines/env.sh, and with `path` as its PATH."""
    line = f". {ROOT}/engines/env.sh\n{script}"
    variables = environment | {"PATH": str(path)}
    return subprocess.run(
        [str(shutil.which("bash")), "-euo", "pipefail", "-c", line],
        env=variables,
        text=True,
        capture_output=True,
    )


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with awk alone."""
    (tmp_path / "awk").symlink_to(str(shutil.which("awk")))
    return tmp_path


@pytest.fixture
def ssh(programs: Path) -> Path:
    """A folder with a stand-in for ssh, as a host is not asked for its name in a test."""
    (programs / "ssh").write_text(SSH)
    (programs / "ssh").chmod(0o755)
    return programs


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("", "127.0.0.1"),
        ("unix:///run/other.sock", "127.0.0.1"),
        ("ssh://deploy@www.example.com", "www.example.com"),
        ("ssh://deploy@www.example.com:2222/run/docker.sock", "www.example.com"),
        ("ssh://alias", "192.0.2.7"),
        ("tcp://192.0.2.8:2376", "192.0.2.8"),
    ],
)
def test_host_is_that_of_the_engine(ssh: Path, url: str, host: str) -> None:
    assert run("served_host", ssh, DEPLOY_HOST=url).stdout == f"{host}\n"


def test_host_is_told_without_ssh(programs: Path) -> None:
    run_without = run("served_host", programs, DEPLOY_HOST="ssh://www.example.com")
    assert (run_without.returncode, run_without.stdout) == (0, "www.example.com\n")


@pytest.mark.parametrize(
    ("url", "bind", "out"),
    [
        ("", "127.0.0.1", False),
        ("unix:///run/other.sock", "127.0.0.1", False),
        ("ssh://www.example.com", "", False),
        ("ssh://www.example.com", "192.0.2.7", False),
        ("ssh://www.example.com", "127.0.0.1", True),
        ("tcp://192.0.2.8:2376", "127.0.0.2", True),
    ],
)
def test_loopback_interface_of_another_machine_is_out_of_reach(
    ssh: Path, url: str, bind: str, out: bool
) -> None:
    assert (run("out_of_reach", ssh, DEPLOY_HOST=url, HTTP_BIND=bind).returncode == 0) == out
