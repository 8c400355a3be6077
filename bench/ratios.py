"""Medians of same-round ratios: only what two contestants did next to one another is compared."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from .works import Target

if TYPE_CHECKING:
    from .rounds import Cell

MOST = 64  # connections, where p99 is compared


@dataclass(frozen=True)
class Figure:
    """A median with its range; `label` says of what, where a target has several."""

    label: str
    median: float
    low: float
    high: float


def spread(label: str, values: list[float]) -> Figure:
    """Return the figure of `values`, one of each round."""
    return Figure(label, *(round(value, 3) for value in (median(values), min(values), max(values))))


def figures(cells: Iterable["Cell"]) -> dict[str, list[Figure]]:
    """Return the figures of each work: rates as ratios, and p99 where the other is naive."""
    found: dict[str, list[Figure]] = {}
    for cell in cells:
        rounds = list(zip(cell.ours, cell.other, strict=True))
        label = f"{cell.connections} connections"
        rates = [ours.rate / other.rate for ours, other in rounds]
        found.setdefault(cell.work, []).append(spread(label, rates))
        if cell.work.startswith("auth-") and cell.connections == MOST:
            slowest = [ours.p99 / other.p99 for ours, other in rounds]
            found.setdefault("p99", []).append(spread(cell.work.removeprefix("auth-"), slowest))
    return found


def holds(target: Target, found: list[Figure], bound: float) -> bool:
    """Tell whether each figure is on the right side of `bound`."""
    return all(figure.median <= bound if target.at_most else figure.median >= bound for figure in found)


def held(target: Target, found: list[Figure]) -> str:
    """Return what was reached, in words of the table."""
    if holds(target, found, target.reach):
        return "reached"
    return "held" if holds(target, found, target.must) else "**missed**"
