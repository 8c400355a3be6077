"""`make backup` and `make restore`."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checkouts import Checkout, kept_databases
from tests.support import wait_until, writing_notes


def test_restore_under_load_loses_no_acknowledged_note(checkout: Checkout) -> None:
    count = "SELECT 'notes ' || count(*) FROM notes WHERE title = 'must not be lost';"
    checkout.make("psql", stdin="DELETE FROM notes WHERE title = 'must not be lost'")
    [file] = re.findall(r"make restore FILE=(\S+)", checkout.make("backup"))
    with writing_notes(checkout.url) as acknowledged:
        wait_until(lambda: len(acknowledged) > 20, "notes to be written")
        [kept] = kept_databases(checkout.make("restore", f"FILE={file}", "sure=yes"))
        written = len(acknowledged)
        wait_until(lambda: len(acknowledged) > written + 20, "notes to be written again")
    screen = checkout.make("psql", stdin=f"{count}\n\\c {kept}\n{count}")
    assert sum(map(int, re.findall(r"notes (\d+)", screen))) >= len(acknowledged)


def test_kept_database_is_deleted_when_told(checkout: Checkout, backup: str) -> None:
    [kept] = kept_databases(checkout.make("restore", f"FILE={backup}", "sure=yes"))
    assert kept in checkout.make("psql", stdin="\\l")
    checkout.make("restore", f"drop={kept}", "sure=yes")
    assert kept not in checkout.make("psql", stdin="\\l")


def test_database_that_was_not_kept_is_neither_brought_back_nor_deleted(checkout: Checkout) -> None:
    for how in ("back", "drop"):
        run = checkout.try_make("restore", f"{how}=postgres", "sure=yes")
        assert run.returncode != 0
        assert "there is no kept database postgres; kept are:" in run.stdout


def test_restore_asks_before_it_replaces(checkout: Checkout, backup: str) -> None:
    before = checkout.titles()
    run = checkout.try_make("restore", f"FILE={backup}")
    assert run.returncode != 0
    assert "to be sure, add sure=yes" in run.stdout
    assert checkout.titles() == before


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def altered(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def without_checksum(path: Path) -> None:
    path.with_name(path.name + ".sha256").unlink()


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (cut_off, "is cut off or was altered: it does not fit its checksum; nothing was changed"),
        (altered, "is cut off or was altered: it does not fit its checksum; nothing was changed"),
        (without_checksum, "copy it from where the backup was made"),
    ],
)
def test_damaged_backup_is_refused(
    checkout: Checkout, backup: str, damage: Callable[[Path], None], line: str
) -> None:
    path = checkout.path / "damaged.dump"
    shutil.copy2(checkout.path / backup, path)
    shutil.copy2(checkout.path / f"{backup}.sha256", checkout.path / "damaged.dump.sha256")
    damage(path)
    before = checkout.titles()
    run = checkout.try_make("restore", f"FILE={path.name}", "sure=yes")
    assert run.returncode != 0
    assert line in run.stdout
    assert checkout.titles() == before


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ([], "say which: make restore FILE=backups/"),
        (["FILE=nowhere.dump"], "FILE=nowhere.dump: there is no such file, or it cannot be read"),
        (["back=app_before_1", "drop=app"], "say one of FILE=, back= and drop="),
    ],
)
def test_missing_backup_is_told(checkout: Checkout, variables: list[str], line: str) -> None:
    run = checkout.try_make("restore", *variables)
    assert run.returncode != 0
    assert line in run.stdout


def test_backup_that_cannot_be_restored_changes_nothing(checkout: Checkout) -> None:
    before = checkout.titles()
    # A check that reads another table: pg_restore fills this one before that is there.
    checkout.make(
        "psql",
        stdin="CREATE TABLE z ();"
        "CREATE FUNCTION reads() RETURNS bool LANGUAGE sql AS 'SELECT count(*) >= 0 FROM z';"
        "CREATE TABLE a (b int CHECK (reads())); INSERT INTO a VALUES (1)",
    )
    try:
        [file] = re.findall(r"make restore FILE=(\S+)", checkout.make("backup"))
    finally:
        checkout.make("psql", stdin="DROP TABLE a; DROP FUNCTION reads; DROP TABLE z")
    run = checkout.try_make("restore", f"FILE={file}", "sure=yes")
    assert run.returncode != 0
    assert "nothing was changed: the data from before is in place" in run.stdout
    assert checkout.titles() == before
    assert "restoring" not in checkout.make("psql", stdin="\\l")


def test_backup_belongs_to_its_maker_alone(checkout: Checkout, backup: str) -> None:
    for path in (checkout.path / backup).parent.glob(Path(backup).name + "*"):
        assert path.stat().st_mode & 0o077 == 0
