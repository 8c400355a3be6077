import json
from pathlib import Path

import pytest

from tests.drill.kinds import CREATE, FRESH, KEPT, LIST, SHOW, UPLOAD, Kind
from tests.drill.tally import Tally
from tests.unit.drill.servers import answer, load, replying

CREATED, LISTED, SHOWN = Kind(KEPT, CREATE), Kind(KEPT, LIST), Kind(KEPT, SHOW)


@pytest.fixture
def acknowledged(tmp_path: Path) -> Path:
    """The file of the acknowledged titles."""
    return tmp_path / "acknowledged"


def create(body: bytes) -> bytes:
    """Answer as the app does where a note is created."""
    return answer(201, {"id": 7} | json.loads(body))


def page(body: bytes) -> bytes:
    """Answer with a list."""
    return answer(200, {"items": [{"id": 7}]})


def close(body: bytes) -> bytes:
    """Close without an answer."""
    return b""


def whats(tally: Tally) -> list[str]:
    """Return what has failed."""
    return [failure["what"] for failure in tally.failures]


def test_right_answers_are_no_failures(acknowledged: Path) -> None:
    tally = load(replying(create, page, create), acknowledged, CREATED, LISTED, CREATED)
    assert (tally.failed, len(tally.times["h1 create"]), tally.acknowledged) == (0, 2, 2)


def test_acknowledged_titles_are_in_the_file(acknowledged: Path) -> None:
    sent: list[bytes] = []

    def note(body: bytes) -> bytes:
        sent.append(body)
        return create(body) if len(sent) < 3 else answer(503, {})

    load(replying(note, note, note), acknowledged, CREATED, CREATED, CREATED)
    assert acknowledged.read_text().splitlines() == [json.loads(body)["title"] for body in sent[:2]]


@pytest.mark.parametrize("status", [201, 308, 429, 503])
def test_other_status_is_a_failure(acknowledged: Path, status: int) -> None:
    tally = load(replying(lambda _: answer(status, {"items": []})), acknowledged, LISTED)
    assert whats(tally) == [f"WrongError: status {status}: b'{{\"items\": []}}'"]


def test_another_note_is_a_failure(acknowledged: Path) -> None:
    other = answer(200, {"id": 8, "title": "other"})
    [what] = whats(load(replying(create, lambda _: other), acknowledged, CREATED, SHOWN))
    assert what.startswith("WrongError: note 8 other, for 7 drill ")


def test_list_without_an_acknowledged_note_is_a_failure(acknowledged: Path) -> None:
    old = answer(200, {"items": [{"id": 6}]})
    [what] = whats(load(replying(create, lambda _: old), acknowledged, CREATED, LISTED))
    assert what == "WrongError: notes [6], where 7 is acknowledged"


@pytest.mark.parametrize("body", ["text", [], {"number": 1}])
def test_answer_of_another_form_is_a_failure(acknowledged: Path, body: object) -> None:
    assert load(replying(lambda _: answer(200, body)), acknowledged, LISTED).failed == 1


def test_hash_of_something_else_is_a_failure(acknowledged: Path) -> None:
    wrong = answer(200, {"sha256": "0" * 64})
    tally = load(replying(lambda _: wrong), acknowledged, Kind(KEPT, UPLOAD))
    assert whats(tally) == ["WrongError: the sha256 is of something else"]


@pytest.mark.parametrize("kind", [LISTED, Kind(FRESH, LIST), CREATED])
def test_new_connection_that_is_closed_is_a_failure(acknowledged: Path, kind: Kind) -> None:
    tally = load(replying(close, page), acknowledged, kind)
    [what] = whats(tally)
    assert what.startswith("UnansweredError: closed before any byte of an answer, request 1 on it")
    assert tally.retried == 0


def test_read_on_a_connection_that_is_closed_after_its_rest_is_sent_again(acknowledged: Path) -> None:
    tally = load(replying(page, close, page), acknowledged, LISTED, LISTED)
    assert (tally.failed, tally.retried) == (0, 1)


def test_read_is_sent_again_once(acknowledged: Path) -> None:
    tally = load(replying(page, close, close, page), acknowledged, LISTED, LISTED)
    assert (tally.failed, tally.retried) == (1, 1)


def test_creation_is_never_sent_again(acknowledged: Path) -> None:
    tally = load(replying(create, close, create), acknowledged, CREATED, CREATED)
    assert (tally.failed, tally.retried, tally.acknowledged) == (1, 0, 1)


def test_answer_that_is_cut_off_is_a_failure(acknowledged: Path) -> None:
    cut = page(b"").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")[:-3]
    tally = load(replying(page, lambda _: cut), acknowledged, LISTED, LISTED)
    assert (tally.failed, tally.retried) == (1, 0)
    assert whats(tally) == ["ConnectionError: closed within an answer (None)"]


def test_what_is_no_http_is_a_failure(acknowledged: Path) -> None:
    [what] = whats(load(replying(lambda _: b"220 mail.example.com ESMTP\r\n\r\n"), acknowledged, LISTED))
    assert what.startswith("RemoteProtocolError: ")


def test_connection_that_the_server_has_closed_is_not_used(acknowledged: Path) -> None:
    last = answer(200, {"items": []}, "Connection: close")
    tally = load(replying(lambda _: last, create), acknowledged, LISTED, CREATED)
    assert (tally.failed, tally.retried) == (0, 0)
