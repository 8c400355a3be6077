"""nginx/keep: what nginx is brought while it runs."""

import os
import subprocess
import tarfile
from pathlib import Path

from tests.copies import ROOT


def keep(state: Path, what: str, data: bytes) -> str:
    """Run nginx/keep; return what it prints."""
    path = f"{ROOT / 'nginx'}:{os.environ['PATH']}"
    environment = {"NGINX_STATE": str(state), "PATH": path}
    command = [str(ROOT / "nginx/keep"), what]
    return subprocess.run(
        command, env=environment, input=data, check=True, capture_output=True
    ).stdout.decode()


def archive(folder: Path, **files: str) -> bytes:
    """Return a tar archive of files of the folder static."""
    (folder / "static").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / "static" / name).write_text(text)
    with tarfile.open(folder / "tar", "w") as tar:
        tar.add(folder / "static", "static")
    return (folder / "tar").read_bytes()


def test_change_of_what_is_kept_is_told(tmp_path: Path) -> None:
    first = archive(tmp_path / "1", style="one")
    assert keep(tmp_path / "state", "static", first) == "changed\n"
    assert keep(tmp_path / "state", "static", first) == ""
    assert keep(tmp_path / "state", "static", archive(tmp_path / "2", style="two")) == "changed\n"


def test_static_files_are_replaced_and_their_hashed_copies_stay(tmp_path: Path) -> None:
    state = tmp_path / "state"
    keep(state, "static", archive(tmp_path / "1", style="one", old="old"))
    keep(state, "static", archive(tmp_path / "2", style="two"))
    assert [path.name for path in (state / "static/static").iterdir()] == ["style"]
    assert sorted(path.name.partition(".")[0] for path in (state / "hashed/static").iterdir()) == [
        "old",
        "style",
        "style",
    ]


def test_hashed_copies_that_no_release_has_had_for_a_month_go(tmp_path: Path) -> None:
    state = tmp_path / "state"
    keep(state, "static", archive(tmp_path / "1", style="one"))
    [copy] = (state / "hashed/static").iterdir()
    keep(state, "static", archive(tmp_path / "2", style="two"))
    os.utime(copy, (0, 0))
    keep(state, "static", archive(tmp_path / "3", style="three"))
    assert not copy.exists()


def test_hashed_copy_of_the_release_before_stays_however_long_that_has_served(tmp_path: Path) -> None:
    state = tmp_path / "state"
    keep(state, "static", archive(tmp_path / "1", style="one"))
    [copy] = (state / "hashed/static").iterdir()
    os.utime(copy, (0, 0))
    keep(state, "static", archive(tmp_path / "2", style="two"))
    assert copy.exists()


def test_hashed_copy_that_is_in_use_stays_however_old(tmp_path: Path) -> None:
    state, same = tmp_path / "state", archive(tmp_path / "1", style="one")
    keep(state, "static", same)
    [copy] = (state / "hashed/static").iterdir()
    os.utime(copy, (0, 0))
    keep(state, "static", same)
    assert copy.exists()


def test_nothing_of_what_was_replaced_is_left(tmp_path: Path) -> None:
    state = tmp_path / "state"
    for text in ("one", "two", "three"):
        keep(state, "configuration", archive(tmp_path / text, style=text))
    assert len([path for path in state.iterdir() if path.name.startswith("conf")]) == 2
    assert (state / "conf").is_symlink()


def test_addresses_that_are_new_are_marked_until_a_rollout_is_over(tmp_path: Path) -> None:
    line = b"server web-1:8000 resolve;\n"
    assert keep(tmp_path, "servers", line) == "changed\n"
    assert (tmp_path / "pending").exists()
    (tmp_path / "pending").unlink()
    assert keep(tmp_path, "servers", line) == ""
    assert not (tmp_path / "pending").exists()
