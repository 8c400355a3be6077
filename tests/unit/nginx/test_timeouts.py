"""The table of timeouts in docs/security.md: what it quotes stands there, and no inner one is longer."""

import re
from itertools import pairwise

import pytest

import config
from tests.support import ROOT

ROW = re.compile(r"^\| (\d+) s \| .* \| `([^`]+)` \| ([\w./-]+) \|$", re.MULTILINE)
DOCUMENT = (ROOT / "docs/security.md").read_text()
ROWS = [(int(seconds), quoted, path) for seconds, quoted, path in ROW.findall(DOCUMENT)]


def seconds(name: str) -> int:
    """Return what the table says of a timeout."""
    [found] = [seconds for seconds, quoted, _ in ROWS if re.match(rf'"?{name}\b', quoted)]
    return found


@pytest.mark.parametrize(("seconds", "quoted", "path"), ROWS)
def test_timeout_is_what_the_table_says(seconds: int, quoted: str, path: str) -> None:
    assert quoted in (ROOT / path).read_text()
    assert re.search(rf"\b{seconds}(s|\b)", quoted)


def test_inner_timeout_is_never_longer_than_the_outer() -> None:
    assert all(inner[0] <= outer[0] for inner, outer in pairwise(ROWS))


def test_each_gives_up_before_the_one_that_waits_for_it() -> None:
    assert seconds("connect_timeout") + config.STATEMENT_MAXIMUM <= seconds("timeout")
    assert seconds("timeout") < seconds("proxy_read_timeout") < seconds("worker_shutdown_timeout")
    assert seconds("worker_shutdown_timeout") < seconds("stop_grace_period: 50s")
