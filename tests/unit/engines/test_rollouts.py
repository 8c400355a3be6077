"""What the scripts of a rollout decide: when a release is worse than another, and what served before what."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.copies import ROOT

# A list of releases that is a file; each of them is there.
LIST = """
read_releases() { cat list; }
write_releases() { cat >new && mv new list; }
has_release() { [ "$1" != gone ]; }
"""


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script with the functions of engines/deploy.sh."""
    line = f". {ROOT}/engines/deploy.sh\n{LIST}\n{script}"
    return subprocess.run(["bash", "-euc", line], cwd=folder, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "list").write_text("one\ntwo\nthree\n")
    return tmp_path


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("1000 0", "500 5", False),  # one in a hundred is not more than that
        ("1000 0", "500 6", True),
        ("1000 0", "10 4", False),  # too few to tell
        ("1000 0", "10 5", True),
        ("0 0", "100 5", True),  # nobody was there before
        ("1000 100", "1000 209", False),  # as it was before, about
        ("1000 100", "1000 211", True),
        ("1000 100", "0 0", False),
    ],
)
def test_release_is_worse_by_its_share_of_failures(
    tmp_path: Path, before: str, after: str, worse: bool
) -> None:
    assert (run(f'fails_more "{before}" "{after}"', tmp_path).returncode == 0) == worse


def test_answers_of_web_are_counted_by_their_status(tmp_path: Path) -> None:
    by_web, by_nginx = '"upstream":"172.18.0.3:8000"', ('"upstream":"web"', '"upstream":""')
    lines = [f'{{"status":200,"bytes":500,{by_web}}}', f'{{"status":503,"bytes":5,{by_web}}}']
    lines += [f'{{"status":503,"bytes":5,{upstream}}}' for upstream in by_nginx]
    lines += ["[error] not an answer", ""]
    (tmp_path / "log").write_text("\n".join(lines))
    assert run("count_answers <log", tmp_path).stdout == "2 1\n"


@pytest.mark.parametrize(
    ("script", "after"),
    [
        ("remember four", ["one", "two", "three", "four"]),
        ("remember three", ["one", "two", "three"]),
        ("remember two", ["one", "three", "two"]),  # older code was deployed
        ("remember_back two", ["one", "two", "three back"]),
        ("remember_back one", ["one", "two back", "three back"]),
    ],
)
def test_list_tells_what_serves_and_what_was_gone_back_from(
    folder: Path, script: str, after: list[str]
) -> None:
    run(script, folder)
    assert (folder / "list").read_text().splitlines() == after


def test_release_that_was_gone_back_from_is_newest_once_it_serves_again(folder: Path) -> None:
    run("remember_back one; remember three", folder)
    assert (folder / "list").read_text() == "one\ntwo back\nthree\n"


@pytest.mark.parametrize(("script", "tag"), [("current", "one"), ("previous", "")])
def test_after_two_steps_back_the_first_serves(folder: Path, script: str, tag: str) -> None:
    assert run(f"remember_back two; remember_back one; {script}", folder).stdout.strip() == tag


def test_release_before_is_never_one_that_was_gone_back_from(folder: Path) -> None:
    assert run("remember_back two; remember four; previous", folder).stdout.strip() == "two"


def test_releases_that_are_there_are_told_newest_first(folder: Path) -> None:
    (folder / "list").write_text("one\ngone\ntwo back\nthree\n")
    assert run("kept_releases", folder).stdout.split() == ["three", "two", "one"]


FORGET = 'delete_release() { echo "$1" >>deleted; }; forget_old_releases'


def test_five_releases_are_kept(folder: Path) -> None:
    (folder / "list").write_text("".join(f"r{number}\n" for number in range(7)))
    run(FORGET, folder)
    assert (folder / "list").read_text().split() == [f"r{number}" for number in range(2, 7)]
    assert (folder / "deleted").read_text().split() == ["r1", "r0"]


def test_releases_that_never_served_displace_none_that_did(folder: Path) -> None:
    (folder / "list").write_text("one\n" + "".join(f"r{number} back\n" for number in range(7)))
    run(FORGET, folder)
    assert (folder / "list").read_text().split("\n")[:-1] == ["one", *(f"r{n} back" for n in range(2, 7))]
    assert (folder / "deleted").read_text().split() == ["r1", "r0"]


@pytest.mark.parametrize(
    ("serves", "after"),
    [
        ("three", ["one", "two", "three", "four back"]),
        ("two", ["one", "two", "three back", "four back"]),  # amid a rollback
        ("four", ["one", "two", "three", "four"]),  # amid a deploy
        ("unknown", ["one", "two", "three", "four back"]),
    ],
)
def test_list_is_corrected_by_what_serves(folder: Path, serves: str, after: list[str]) -> None:
    (folder / "list").write_text("one\ntwo\nthree\nfour back\n")
    run(f"serving_release() {{ echo {serves}; }}; correct_releases", folder)
    assert (folder / "list").read_text().splitlines() == after


@pytest.mark.parametrize("script", ["release=four; note_tried", "remember four", "remember_back two"])
def test_list_that_cannot_be_read_is_left_as_it_is(folder: Path, script: str) -> None:
    assert run(f"read_releases() {{ echo one; return 1; }}; {script}", folder).returncode == 1
    assert (folder / "list").read_text() == "one\ntwo\nthree\n"


@pytest.mark.parametrize(("owner", "told"), [("0", False), ("1", True)])
def test_checkout_that_git_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str, told: bool
) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", owner)
    monkeypatch.setenv("HOME", str(tmp_path))
    named = run('say() { echo "$*"; }; name_release', tmp_path)
    assert re.fullmatch(r"\d{8}T\d{6}Z\n", named.stdout)
    assert ("its release is named by the time" in named.stderr) == told


# Of the releases one, two and three, which answer `db suits` by these exit statuses, the first is asked for.
ASKED = """
fail() {{ echo "$*" >&2; exit 1; }}
in_release() {{
  if [ "$5" = known ]; then echo revision; return; fi
  echo "$1 was asked" >&2
  case "$1" in
    one) return {0} ;;
    two) return {1} ;;
    three) return {2} ;;
  esac
}}
release=one
check_suits
"""


@pytest.mark.parametrize(
    ("statuses", "suits"),
    [
        ((1, 1, 0), True),
        ((1, 0, 1), True),  # the newest is broken, and cannot tell
        ((0, 1, 1), True),  # it is of the schema itself
        ((0, 0, 3), False),
        ((0, 3, 1), False),
        ((1, 1, 1), False),
    ],
)
def test_newest_release_that_can_tell_says_whether_an_older_one_suits(
    folder: Path, statuses: tuple[int, int, int], suits: bool
) -> None:
    assert (run(ASKED.format(*statuses), folder).returncode == 0) == suits


def test_reason_why_a_release_does_not_suit_is_shown_alone(folder: Path) -> None:
    answer = run(ASKED.format(0, 3, 1), folder)
    assert answer.stderr.splitlines()[0] == "two was asked"
