import pytest

from bench.ratios import Figure, figures, held, spread
from bench.rounds import Cell
from bench.works import Target
from bench.wrk import Sample


def cell(work: str, connections: int, rounds: list[tuple[float, float]]) -> Cell:
    """Return a cell with these rates, p99 being a hundredth of them."""
    ours, other = ([Sample(rate, 0, rate / 100) for rate in side] for side in zip(*rounds, strict=True))
    return Cell(work, connections, ours, other)


def test_ratio_is_the_median_of_same_round_ratios() -> None:
    # The medians of the sides would be 20 and 10, and so 2.
    found = figures([cell("list", 16, [(10, 10), (20, 5), (30, 20)])])
    assert found == {"list": [Figure("16 connections", 1.5, 1, 4)]}


def test_each_number_of_connections_has_a_figure() -> None:
    found = figures([cell("get", 16, [(1, 2)]), cell("get", 64, [(3, 4)])])
    assert found["get"] == [spread("16 connections", [0.5]), spread("64 connections", [0.75])]


def test_latency_is_compared_with_naive_on_most_connections() -> None:
    cells = [cell("auth-get", 16, [(1, 2)]), cell("auth-get", 64, [(3, 4)]), cell("get", 64, [(1, 2)])]
    assert figures(cells)["p99"] == [spread("get", [0.75])]


def test_order_of_the_sides_alternates() -> None:
    empty = Cell("list", 16)
    turns = [[request.contestant for request, _ in empty.sides(turn)] for turn in range(3)]
    assert turns == [["ours", "bare"], ["bare", "ours"], ["ours", "bare"]]


@pytest.mark.parametrize(
    ("at_most", "medians", "said"),
    [
        (False, [3.5, 4], "reached"),
        (False, [3.4, 4], "held"),
        (False, [2, 4], "held"),
        (False, [1.9, 4], "**missed**"),
        (True, [1.5], "**missed**"),
    ],
)
def test_worst_figure_says_what_is_held(at_most: bool, medians: list[float], said: str) -> None:
    target = Target("", 1, 0.5, at_most) if at_most else Target("", 2, 3.5)
    assert held(target, [spread("", [median]) for median in medians]) == said
