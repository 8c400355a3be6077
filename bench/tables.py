"""The results as tables of Markdown."""

from collections.abc import Sequence
from statistics import median

from .ratios import Figure, held
from .rounds import Cell
from .works import TARGETS


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def targets_table(found: dict[str, list[Figure]]) -> str:
    """Return what was reached of what; ratios are medians of same-round ratios, with their range."""
    rows = [
        (
            target.title,
            told_figures(found[name], target.unit),
            bound(name, "must"),
            bound(name, "reach"),
            held(target, found[name]),
        )
        for name, target in TARGETS.items()
        if found.get(name)
    ]
    return table(("work", "figure (range)", "must", "reach for", ""), rows)


def bound(name: str, which: str) -> str:
    """Return a bound of a target, as the table has it."""
    target = TARGETS[name]
    return f"{'≤' if target.at_most else '≥'} {getattr(target, which):g}{target.unit}"


def told_figures(figures: list[Figure], unit: str) -> str:
    """Return figures with their ranges."""
    return " · ".join(told_figure(figure, unit) for figure in figures)


def told_figure(figure: Figure, unit: str) -> str:
    """Return a figure with its range, where it has one."""
    digits = 0 if figure.median >= 20 else 2
    label = f"{figure.label}: " if figure.label else ""
    spread = "" if figure.low == figure.high else f" ({figure.low:.{digits}f}–{figure.high:.{digits}f})"
    return f"{label}{figure.median:.{digits}f}{unit}{spread}"


def rates_table(cells: list[Cell]) -> str:
    """Return requests a second and latencies of all: medians of the rounds."""
    rows = [
        (
            cell.work,
            request.contestant,
            str(cell.connections),
            f"{median(s.rate for s in samples):.0f}",
            f"{median(s.p50 for s in samples):.1f}",
            f"{median(s.p99 for s in samples):.1f}",
        )
        for cell in cells
        for request, samples in cell.sides(0)
    ]
    return table(("work", "contestant", "connections", "req/s", "p50 ms", "p99 ms"), rows)
