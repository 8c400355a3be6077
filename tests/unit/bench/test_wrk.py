import pytest
from rich.console import Console

from bench import remote, wrk
from bench.options import Options
from bench.tell import Failure
from bench.works import WORKS
from bench.wrk import LoadError, Sample, read_sample

SAID = 'Running 1s test\n{"requests": %d, "seconds": 2.0, "p50": 1.5, "p99": 9.5, "failures": {%s}}\n'


def test_sample_is_what_the_script_says_last() -> None:
    assert read_sample(SAID % (5, "")) == Sample(2.5, 1.5, 9.5)


@pytest.mark.parametrize(
    ("requests", "failures", "line"),
    [
        (5, '"status": 3, "429": 2, "404": 1', "2 × status 429, 1 × status 404"),
        (5, '"status": 3', "3 × status ≥ 400"),
        (5, '"301": 3', "3 × status 301"),
        (5, '"timeout": 2', "2 × timeout error"),
        (0, "", "1 × no answer at all"),
    ],
)
def test_anything_but_2xx_is_an_error(requests: int, failures: str, line: str) -> None:
    with pytest.raises(LoadError) as error:
        read_sample(SAID % (requests, failures))
    assert str(error.value) == line


def test_load_without_any_answer_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = [SAID % (0, ""), SAID % (4, "")]
    monkeypatch.setattr(wrk, "run", lambda line: outputs.pop(0))
    assert wrk.load("http://localhost", WORKS["list"].ours, 16, 1).rate == 2


def test_load_with_errors_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = [SAID % (4, '"500": 1'), SAID % (4, "")]
    monkeypatch.setattr(wrk, "run", lambda line: outputs.pop(0))
    with pytest.raises(LoadError):
        wrk.load("http://localhost", WORKS["list"].ours, 16, 1)


def test_other_server_with_limits_is_told_how_to_lift_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrk, "run", lambda line: SAID % (9, '"429": 4'))
    with pytest.raises(Failure, match="list, 16 connections: 4 × status 429; lift RATE_LIMIT"):
        remote.measure(Options(1, 1, ("list",), "http://localhost"), Console(quiet=True))
