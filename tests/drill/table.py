"""The table in docs/deploy.md, a line an engine."""

import re
from pathlib import Path
from statistics import median

from .drill import Outcome

LONG = 20  # rollouts, from which on a drill is written down


def row(outcome: Outcome) -> str:
    """Return the line of a drill."""
    kinds = [rollout.kind for rollout in outcome.rollouts]
    took = [rollout.seconds for rollout in outcome.rollouts if rollout.kind in ("change", "migration")]
    cells = (
        outcome.engine,
        len(kinds),
        kinds.count("migration"),
        kinds.count("broken") + kinds.count("unready"),
        kinds.count("rollback"),
        f"{median(took):.0f} ({min(took):.0f}–{max(took):.0f})",
        f"{outcome.load['requests']:,} ({outcome.load['rate']:.0f}/s)",
        outcome.load["failed"],
        f"{outcome.load['acknowledged']:,}",
        len(outcome.losses.lost),
        len(outcome.losses.duplicates),
        outcome.load["retried"] + outcome.load["refused_streams"],
        f"{outcome.load['kinds']['h1 show']['p99']:.0f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def write(path: Path, outcome: Outcome) -> None:
    """Put the line of a drill in the place of the one that the engine had."""
    new = row(outcome)
    text, found = re.subn(rf"(?m)^\| {outcome.engine} \| \d.*$", lambda _: new, path.read_text())
    if not found:
        text = text.replace("<!-- until here -->", f"{new}\n<!-- until here -->", 1)
    path.write_text(text)
