"""Compare what was acknowledged with what is there.

usage: python -m tests.drill.verify FILE, with the titles of the database on standard input, a line each:
       SELECT title FROM notes WHERE title LIKE 'drill %'
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Losses:
    """Titles that were acknowledged and are not there, and titles that are there more than once."""

    lost: list[str]
    duplicates: list[str]


def verify(acknowledged: Path, titles: Iterable[str]) -> Losses:
    """Compare the file of the acknowledged titles with those of the database."""
    there = Counter(title.rstrip("\n") for title in titles)
    lost = [title for title in read_acknowledged(acknowledged) if title not in there]
    return Losses(lost, [title for title, number in there.items() if title and number > 1])


def read_acknowledged(path: Path) -> list[str]:
    """Return the titles of the file; of a load that was killed, the last line may not be whole."""
    return path.read_text().split("\n")[:-1]


if __name__ == "__main__":
    losses = verify(Path(sys.argv[1]), sys.stdin)
    print(json.dumps(asdict(losses), indent=2))  # noqa: T201 # its output
    sys.exit(bool(losses.lost or losses.duplicates))
