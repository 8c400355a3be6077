from pathlib import Path

import pytest

from tests.drill.verify import Losses, verify


@pytest.fixture
def acknowledged(tmp_path: Path) -> Path:
    """A file with two acknowledged titles."""
    path = tmp_path / "acknowledged"
    path.write_text("drill a\ndrill b\n")
    return path


def test_what_is_there_once_is_neither_lost_nor_a_duplicate(acknowledged: Path) -> None:
    assert verify(acknowledged, ["drill b", "drill a"]) == Losses([], [])


def test_acknowledged_title_that_is_not_there_is_lost(acknowledged: Path) -> None:
    assert verify(acknowledged, ["drill a"]).lost == ["drill b"]


def test_title_that_is_there_twice_is_a_duplicate(acknowledged: Path) -> None:
    assert verify(acknowledged, ["drill a", "drill b", "drill a"]).duplicates == ["drill a"]


def test_title_without_acknowledgement_is_no_loss(acknowledged: Path) -> None:
    assert verify(acknowledged, ["drill a", "drill b", "drill c"]) == Losses([], [])


def test_titles_may_be_the_lines_of_a_file(acknowledged: Path) -> None:
    assert verify(acknowledged, ["drill a\n", "drill b\n"]) == Losses([], [])


def test_line_that_is_cut_off_is_not_acknowledged(acknowledged: Path) -> None:
    acknowledged.write_text("drill a\ndrill b\ndri")
    assert verify(acknowledged, ["drill a", "drill b"]).lost == []
