from tests.drill.tally import SHOWN, Tally, summary


def ended() -> Tally:
    """Return a tally of two seconds."""
    return Tally(seconds=2)


def test_requests_are_those_that_were_answered_and_those_that_failed() -> None:
    tally = ended()
    tally.succeed("h1 list", 0.01)
    tally.fail("h2 list", OSError())
    document = tally.document()
    assert (document["requests"], document["failed"], document["rate"]) == (2, 1, 1)


def test_failure_is_told_with_its_kind_and_message() -> None:
    tally = ended()
    tally.fail("h1 list", ConnectionError("closed"))
    [failure] = tally.failures
    assert (failure["kind"], failure["what"]) == ("h1 list", "ConnectionError: closed")


def test_failures_are_all_counted_and_the_first_are_told() -> None:
    tally = ended()
    for number in range(SHOWN + 3):
        tally.fail("h1 list", OSError(number))
    assert (tally.failed, len(tally.failures)) == (SHOWN + 3, SHOWN)


def test_times_are_summed_up_in_milliseconds() -> None:
    times = [number / 1000 for number in range(1, 201)]
    assert summary(times[::-1]) == {"count": 200, "p50": 100, "p99": 198, "max": 200}


def test_one_time_is_each_figure() -> None:
    assert summary([0.0123]) == {"count": 1, "p50": 12.3, "p99": 12.3, "max": 12.3}
