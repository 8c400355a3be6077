"""What is sent: the connections and the requests, and how many there are of each."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

KEPT, IDLE, FRESH, STREAM = "h1", "h1-idle", "h1-fresh", "h2"
LIST, SHOW, CREATE, SLOW, UPLOAD = "list", "show", "create", "slow", "upload"


@dataclass(frozen=True)
class Kind:
    """A request to make, and what it is sent on."""

    connection: str
    action: str

    def __str__(self) -> str:
        return f"{self.connection} {self.action}"


# Of 200: 40 % create, 1 % is slow; 30 % are streams of HTTP/2, 15 % come on a connection of their own.
SHARES = {
    KEPT: {CREATE: 40, LIST: 29, SHOW: 30, SLOW: 1},
    IDLE: {CREATE: 4, LIST: 3, SHOW: 3},
    FRESH: {CREATE: 12, LIST: 9, SHOW: 9},
    STREAM: {CREATE: 24, LIST: 17, SHOW: 18, SLOW: 1},
}
UPLOADS = (Kind(KEPT, UPLOAD), Kind(STREAM, UPLOAD))


def deck() -> list[Kind]:
    """Return 200 kinds in their shares."""
    counts = [(Kind(on, action), n) for on, actions in SHARES.items() for action, n in actions.items()]
    return [kind for kind, number in counts for _ in range(number)]


def kinds() -> Iterator[Kind]:
    """Yield kinds without end: any 200 from the start have their shares, in an order by chance."""
    while True:
        cards = deck()
        random.shuffle(cards)
        yield from cards


def due(elapsed: float, rate: float) -> int:
    """Return how many requests are to have been sent after so many seconds, the first of them at once."""
    return int(elapsed * rate) + 1
