from collections import Counter
from itertools import islice

import pytest

from tests.drill.kinds import CREATE, FRESH, SLOW, STREAM, deck, due, kinds


def test_two_of_five_requests_create() -> None:
    assert sum(kind.action == CREATE for kind in deck()) / len(deck()) == 0.4


def test_one_of_a_hundred_is_slow_on_either_protocol() -> None:
    slow = [kind.connection for kind in deck() if kind.action == SLOW]
    assert (len(slow) / len(deck()), len(set(slow))) == (0.01, 2)


@pytest.mark.parametrize(("connection", "share"), [(FRESH, 0.15), (STREAM, 0.3)])
def test_connections_have_their_shares(connection: str, share: float) -> None:
    assert sum(kind.connection == connection for kind in deck()) / len(deck()) == share


def test_each_round_has_the_same_kinds() -> None:
    sent = kinds()
    first, second = (Counter(islice(sent, len(deck()))) for _ in range(2))
    assert first == second == Counter(deck())


@pytest.mark.parametrize(("elapsed", "number"), [(0, 1), (0.0124, 3), (0.0126, 4), (1, 241)])
def test_requests_are_due_by_the_clock(elapsed: float, number: int) -> None:
    assert due(elapsed, 240) == number
