"""The short form of make drill-deploy: rollouts under load."""

import pytest

from tests.drill.drill import Outcome, drill
from tests.engines import engine

ROLLOUTS = 3 if engine() == "native" else 1  # a migration; a broken image, and back
WATCH = 0  # which the old web would outlive its last requests in
RATE = 40  # requests a second; 40 % POST


@pytest.fixture(scope="module")
def outcome(
    answering_engine: str, build_settings: dict[str, str], clean_environment: dict[str, str]
) -> Outcome:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in build_settings.items():
            patch.setenv(name, value)
        return drill(answering_engine, ROLLOUTS, WATCH, RATE, print)


def test_rollouts_fail_no_request(outcome: Outcome) -> None:
    assert outcome.broke_off == ""
    assert outcome.load["failed"] == 0, outcome.load["failures"]
    assert outcome.load["requests"] > 300 * ROLLOUTS


def test_rollouts_lose_no_note_and_make_none_twice(outcome: Outcome) -> None:
    assert outcome.load["acknowledged"] > 100 * ROLLOUTS
    assert (outcome.losses.lost, outcome.losses.duplicates) == ([], [])


def test_style_sheets_of_all_releases_are_still_there(outcome: Outcome) -> None:
    assert outcome.gone == []
