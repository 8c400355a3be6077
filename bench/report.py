"""The results: as JSON with all that was measured, as tables and as a chart."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.copies import ROOT

from .chart import chart
from .ratios import Figure
from .rounds import Cell
from .tables import rates_table, targets_table
from .works import WORKS

RESULTS = ROOT / "bench/results"
MARKS = re.compile(r"(<!-- make bench writes this -->\n).*?(<!-- until here -->)", re.DOTALL)


def write(name: str, about: dict[str, Any], cells: list[Cell], found: dict[str, list[Figure]]) -> list[Path]:
    """Write NAME.json, NAME.md and NAME.svg; return their paths."""
    RESULTS.mkdir(exist_ok=True)
    figures = {work: [asdict(figure) for figure in several] for work, several in found.items()}
    measured = [asdict(cell) | {"against": WORKS[cell.work].other.contestant} for cell in cells]
    document = about | {"figures": figures, "cells": measured}
    texts = {
        "json": json.dumps(document, indent=1) + "\n",
        "md": f"{told(about)}\n\n{targets_table(found)}\n\n{rates_table(cells)}\n",
        "svg": chart(cells),
    }
    for ending, text in texts.items():
        (RESULTS / f"{name}.{ending}").write_text(text)
    return [RESULTS / f"{name}.{ending}" for ending in texts]


def told(about: dict[str, Any]) -> str:
    """Return on what it was measured, in a sentence."""
    machine, versions = about["machine"], about["versions"]
    return (
        f"{about['date']}, commit {about['commit']}: {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_gib']} GiB, {machine['system']}; "
        f"{', '.join(f'{name} {version}' for name, version in versions.items())}; "
        f"rounds: {about['rounds']} of {about['seconds']} s."
    )


def show_in_readme(found: dict[str, list[Figure]], path: Path = ROOT / "README.md") -> None:
    """Put the table of what was reached between the marks in the README, where it has them."""
    text = path.read_text()
    path.write_text(MARKS.sub(lambda marks: f"{marks[1]}{targets_table(found)}\n{marks[2]}", text))
