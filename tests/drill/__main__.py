"""make drill-deploy: rollouts under load, and a table of what came of them.

usage: python -m tests.drill ENGINE ROLLOUTS WATCH RATE
"""

import json
import sys

from tests.copies import ROOT

from .drill import Outcome, drill
from .table import LONG, row, write


def tell(text: str) -> None:
    """Tell what is done, as the other verbs do."""
    print(f"==> {text}", flush=True)  # noqa: T201 # for who typed it


def main(engine: str, number: int, watch: int, rate: int) -> int:
    """Make a drill; return the exit status."""
    tell(f"{number} rollouts on engine {engine}, under {rate} requests a second")
    outcome = drill(engine, number, watch, rate, tell)
    show(outcome)
    if number >= LONG and not outcome.broke_off:
        write(ROOT / "docs/deploy.md", outcome)
    return 0 if outcome.held else 1


def show(outcome: Outcome) -> None:
    """Print what came of it."""
    print(json.dumps(outcome.load, indent=2))  # noqa: T201 # likewise
    for name in outcome.losses.lost:
        tell(f"lost: {name}")
    for name in outcome.losses.duplicates:
        tell(f"twice there: {name}")
    for name in outcome.gone:
        tell(f"no longer there: {name}")
    if outcome.broke_off:
        tell(f"it broke off at {outcome.broke_off}")
    else:
        tell(row(outcome))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
    except KeyboardInterrupt:
        sys.exit(130)
