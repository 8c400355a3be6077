"""Where a schema stands is found without Alembic, and is what Alembic says."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from slipway.migrations.state import NotPreparedError, known_revisions
from tests.support import ROOT

MIGRATION = """
revision{type} = {revision!r}
down_revision = {before!r}
branch_labels = depends_on = None
"""
LOADED = """
import sys
import run
print([name for name in sys.modules if name.partition(".")[0] in ("alembic", "flask_migrate", "mako")])
"""
SETTINGS = {
    "APP_SETTINGS": "config.TestingConfig",
    "DATABASE_URL": "postgresql://nobody@localhost/nothing",
    "SECRET_KEY": "test",
    "CSRF_SESSION_KEY": "test",
}


def write(folder: Path, revision: str, before: str | tuple[str, ...] | None, kind: str = "") -> None:
    """Write a migration that does nothing."""
    (folder / "versions").mkdir(exist_ok=True)
    text = MIGRATION.format(revision=revision, before=before, type=kind)
    (folder / "versions" / f"{revision}.py").write_text(text)


def told_by_alembic(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the newest revisions and all of them."""
    script = ScriptDirectory(str(folder))
    return frozenset(script.get_heads()), frozenset(found.revision for found in script.walk_revisions())


def test_server_does_without_alembic() -> None:
    run = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT / "web",
        env=SETTINGS,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "[]\n"


def test_history_of_the_app_is_what_alembic_reads() -> None:
    folder = ROOT / "web/migrations"
    assert known_revisions(folder) == told_by_alembic(folder)


def test_branches_that_were_joined_are_one_history(tmp_path: Path) -> None:
    write(tmp_path, "one", None)
    write(tmp_path, "two", "one", kind=": str")
    write(tmp_path, "three", "one")
    write(tmp_path, "four", ("two", "three"))
    known = known_revisions(tmp_path)
    assert known == told_by_alembic(tmp_path)
    assert known == (frozenset({"four"}), frozenset({"one", "two", "three", "four"}))


def test_folder_without_migrations_has_no_history(tmp_path: Path) -> None:
    assert known_revisions(tmp_path) == (frozenset(), frozenset())


def test_migration_after_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    write(tmp_path, "two", "one")
    with pytest.raises(NotPreparedError, match="comes after one, which is not there"):
        known_revisions(tmp_path)


def test_migrations_that_come_after_one_another_in_a_circle_are_told(tmp_path: Path) -> None:
    write(tmp_path, "one", None)
    write(tmp_path, "two", "three")
    write(tmp_path, "three", "two")
    with pytest.raises(NotPreparedError, match="in a circle: three, two"):
        known_revisions(tmp_path)


@pytest.mark.parametrize(
    "text", ["revision = make()\ndown_revision = None", "revision = 'one'", "revision = '", "\0", None]
)
def test_migration_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "versions/one_title.py"
    path.parent.mkdir()
    path.mkdir() if text is None else path.write_text(text)
    with pytest.raises(NotPreparedError, match=r"versions/one_title\.py cannot be read \("):
        known_revisions(tmp_path)


def test_constants_that_share_a_value_are_read(tmp_path: Path) -> None:
    write(tmp_path, "one", None)
    path = tmp_path / "versions/one.py"
    path.write_text("revision = 'one'\ndown_revision = branch_labels = depends_on = None")
    assert known_revisions(tmp_path) == told_by_alembic(tmp_path)
