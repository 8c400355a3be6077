"""What the Makefile hands to engines/run of that which is typed, and of the shell's own variables."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.copies import ROOT

SHOW = """#!/bin/sh
printf '%s' "${VALUE-$(printenv "$SHOWN" || echo is not given)}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the Makefile, whose engines/run prints the variable that SHOWN names."""
    shutil.copy2(ROOT / "Makefile", tmp_path)
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines/run").write_text(SHOW)
    (tmp_path / "engines/run").chmod(0o755)
    return tmp_path


def make(folder: Path, *variables: str, shown: str, **environment: str) -> str:
    """Type `make migrate`; return what its script has as the variable `shown`."""
    clean = {"PATH": os.environ["PATH"], "SHOWN": shown}
    return subprocess.check_output(
        ["make", "migrate", *variables], cwd=folder, env=clean | environment, text=True
    )


@pytest.mark.parametrize("name", ["sure", "drop", "back", "accept", "rename", "FILE", "TAG", "NAME", "m"])
def test_variable_of_the_shell_is_no_answer(folder: Path, name: str) -> None:
    assert make(folder, shown=name, **{name: "yes"}) == "is not given"
    assert make(folder, f"{name}=yes", shown=name, **{name: "no"}) == "yes"


@pytest.mark.parametrize(
    "text", ["costs $5 $(HOME)", "$$", "100% #1", "$(shell echo no)", "a\\b 'c' \"d\"", "US$"]
)
@pytest.mark.parametrize("name", ["m", "FIELDS", "POSTGRES_PASSWORD"])
def test_what_is_typed_arrives(folder: Path, name: str, text: str) -> None:
    assert make(folder, f"{name}={text}", shown=name) == text


def test_setting_of_the_shell_arrives(folder: Path) -> None:
    assert make(folder, shown="HTTP_PORT", HTTP_PORT="8080") == "8080"


def words(text: str) -> str:
    """Return the words of a variable, each in brackets; or what is said of it."""
    script = """
fail() { printf %s "$*"; exit; }
. engines/env.sh
words A
printf '<%s>' ${words[@]+"${words[@]}"}"""
    return subprocess.check_output(
        ["bash", "-euc", script], cwd=ROOT, env=os.environ | {"A": text}, text=True
    )


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("routes --sort rule", "<routes><--sort><rule>"),
        ("tests/unit -k 'not slow'", "<tests/unit><-k><not slow>"),
        (r"""'a "b"' "c'd" e\ f""", """<a "b"><c'd><e f>"""),
        ('echo "$HOME" `id` $(id) *', "<echo><$HOME><`id`><$(id)><*>"),
        ("'routes", "A='routes: the quotes do not match"),
        ("", "<>"),
    ],
)
def test_words_are_split_and_not_expanded(text: str, split: str) -> None:
    assert words(text) == split
