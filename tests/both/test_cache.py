"""Where nginx keeps what the app has marked, and that settings reach it."""

import httpx
import pytest

from tests.probe import ORIGINS, state


def test_marked_answer_is_kept(probe: httpx.Client, fresh: str) -> None:
    first, second = (probe.get(f"/marked?{fresh}") for _ in range(2))
    assert (state(first), state(second)) == ("MISS", "HIT")
    assert first.json() == second.json()


@pytest.mark.parametrize("own", [{"Cookie": "a=b"}, {"Cookie": "0"}, {"Authorization": "Bearer x"}])
def test_request_of_somebody_is_answered_by_the_app(
    probe: httpx.Client, fresh: str, own: dict[str, str]
) -> None:
    asked = [probe.get(f"/marked?{fresh}", headers=headers) for headers in (own, {}, own)]
    assert [answer.json()["run"] for answer in asked] == [1, 2, 3]
    assert [state(answer) for answer in asked] == [None, "MISS", None]


@pytest.mark.parametrize("ask", [1, 2])
def test_each_origin_is_told_its_own(probe: httpx.Client, fresh: str, ask: int) -> None:
    for origin in [*ORIGINS, None] * ask:
        answer = probe.get(f"/marked?{fresh}", headers={"Origin": origin} if origin else {})
        assert answer.headers.get("Access-Control-Allow-Origin") == origin
        assert answer.headers.get_list("Vary").count("Origin") == 1
