import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import report
from bench.chart import chart
from bench.ratios import spread
from bench.rounds import Cell
from bench.tables import rates_table, targets_table
from bench.works import WORKS
from bench.wrk import Sample

ABOUT = {
    "date": "2026-01-02",
    "commit": "abc",
    "machine": {"cores": 2, "processor": "P", "memory_gib": 4, "system": "Linux"},
    "versions": {"python": "3.13"},
    "rounds": 3,
    "seconds": 8,
}
CELL = Cell("list", 16, [Sample(100.4, 1, 2), Sample(300, 3, 4)], [Sample(400, 5, 6), Sample(599, 7, 8)])


def test_target_is_shown_with_its_range_and_whether_it_was_held() -> None:
    table = targets_table(
        {"list": [spread("16 connections", [0.5, 0.4, 0.6])], "memory": [spread("", [170.2])]}
    )
    assert (
        "| list, no auth: share of bare | 16 connections: 0.50 (0.40–0.60) | ≥ 0.45 | ≥ 0.65 | held |"
        in table
    )
    assert "| memory of web with 4 workers (PSS) | 170 MB | ≤ 160 MB | ≤ 130 MB | **missed** |" in table
    assert "cacheable" not in table


def test_rates_are_medians_of_the_rounds() -> None:
    table = rates_table([CELL])
    assert "| list | ours | 16 | 200 | 2.0 | 3.0 |" in table
    assert "| list | bare | 16 | 500 | 6.0 | 7.0 |" in table


def test_results_have_every_sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    [document, text, graph] = report.write("latest", ABOUT, [CELL], {"list": [spread("", [0.5])]})
    [cell] = json.loads(document.read_text())["cells"]
    assert (cell["against"], cell["ours"][1]) == ("bare", {"rate": 300, "p50": 3, "p99": 4})
    assert text.read_text().startswith("2026-01-02, commit abc: 2 cores (P)")
    assert graph.exists()


def test_chart_is_described_and_to_scale() -> None:
    cells = [Cell(name, 16, CELL.ours, CELL.other) for name in WORKS]
    root = ElementTree.fromstring(chart(cells))  # noqa: S314 # our own
    names = {"svg": "http://www.w3.org/2000/svg"}
    description = root.find("svg:desc", names)
    assert root.get("role") == "img"
    assert description is not None
    assert re.search(
        r"list, auth: ours 200, naive 500; .*create: ours 200, bare 500\.", str(description.text)
    )
    widths = [float(bar.get("width", 0)) for bar in root.iterfind(".//svg:rect", names)]
    assert widths == [208.4, 520] * 6


def test_readme_is_given_the_table_between_its_marks(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- make bench writes this -->\nold\n<!-- until here -->\nafter\n")
    report.show_in_readme({"list": [spread("", [0.5])]}, readme)
    lines = readme.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert "| list, no auth: share of bare | 0.50 | ≥ 0.45 | ≥ 0.65 | held |" in lines
    assert "old" not in lines
