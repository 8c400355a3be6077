import sys
from pathlib import Path

import pytest

import app
from slipway.environment import ConfigError
from slipway.factory import load


def test_module_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match=r"MODULES in web/app/__init__\.py names nowhere, which is not"):
        load("app", "nowhere")


def test_module_that_refers_to_one_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pointing").mkdir()
    (tmp_path / "pointing" / "__init__.py").write_text("from ..gone.models import Gone")
    monkeypatch.setattr(app, "__path__", [*app.__path__, str(tmp_path)])
    with pytest.raises(ConfigError, match="web/app/pointing refers to gone, which is not there"):
        load("app", "pointing")
    assert "app.pointing" not in sys.modules


def test_package_that_is_not_installed_is_no_module_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wanting").mkdir()
    (tmp_path / "wanting" / "__init__.py").write_text("import a_package_that_nobody_has")
    monkeypatch.setattr(app, "__path__", [*app.__path__, str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="a_package_that_nobody_has"):
        load("app", "wanting")


def test_check_without_a_name_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checked").mkdir()
    (tmp_path / "checked" / "__init__.py").write_text(
        "from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table\n"
        "from slipway.db.models import NAMES\n"
        "metadata = MetaData(naming_convention=NAMES)\n"
        "Table('checked', metadata, Column('a', Integer), CheckConstraint('a > 0'))\n"
    )
    monkeypatch.setattr(app, "__path__", [*app.__path__, str(tmp_path)])
    with pytest.raises(ConfigError, match="web/app/checked: a check has no name; give it one"):
        load("app", "checked")
