import json
from pathlib import Path

import pytest
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from hyperframe.frame import GoAwayFrame

from tests.drill.kinds import CREATE, LIST, STREAM, UPLOAD, Kind
from tests.drill.tally import Tally
from tests.unit.drill.servers import OnStream, streaming
from tests.unit.drill.servers import load as load_by

LISTED = Kind(STREAM, LIST)


@pytest.fixture
def acknowledged(tmp_path: Path) -> Path:
    """The file of the acknowledged titles."""
    return tmp_path / "acknowledged"


def load(acknowledged: Path, *connections: OnStream, kind: Kind = LISTED, times: int = 1) -> Tally:
    """Send requests to a server that does this on its connections."""
    return load_by(streaming(*connections), acknowledged, *[kind] * times)


def respond(state: H2Connection, stream: int, document: object) -> bytes:
    """Return what answers a stream."""
    state.send_headers(stream, [(":status", "200")])
    state.send_data(stream, json.dumps(document).encode(), end_stream=True)
    return state.data_to_send()


def page(state: H2Connection, stream: int) -> bytes:
    """Answer with a list."""
    return respond(state, stream, {"items": []})


def close(state: H2Connection, stream: int) -> bytes:
    """Close without an answer."""
    return b""


def leave(last: int) -> bytes:
    """Return a GOAWAY of a server that ends well."""
    return GoAwayFrame(0, last_stream_id=last, error_code=ErrorCodes.NO_ERROR).serialize()


def leave_unbegun(state: H2Connection, stream: int) -> bytes:
    """Leave without having begun with the stream."""
    return leave(stream - 2 if stream > 1 else 0)


def leave_begun(state: H2Connection, stream: int) -> bytes:
    """Leave, and answer what was begun with."""
    return leave(stream) + page(state, stream)


def reset(state: H2Connection, stream: int, code: ErrorCodes) -> bytes:
    """Reset the stream."""
    state.reset_stream(stream, code)
    return state.data_to_send()


def refuse(state: H2Connection, stream: int) -> bytes:
    """Refuse the stream."""
    return reset(state, stream, ErrorCodes.REFUSED_STREAM)


def test_streams_are_answered(acknowledged: Path) -> None:
    tally = load(acknowledged, page, page, page, times=5)
    assert (tally.failed, len(tally.times["h2 list"])) == (0, 5)


def test_stream_that_was_begun_is_answered_after_goaway(acknowledged: Path) -> None:
    tally = load(acknowledged, leave_begun)
    assert (tally.failed, tally.refused_streams) == (0, 0)


def test_no_stream_is_opened_after_goaway(acknowledged: Path) -> None:
    tally = load(acknowledged, leave_begun, leave_begun, times=2)
    assert (tally.failed, tally.refused_streams) == (0, 0)


@pytest.mark.parametrize("refusing", [leave_unbegun, refuse])
def test_stream_that_was_not_begun_is_sent_again(acknowledged: Path, refusing: OnStream) -> None:
    tally = load(acknowledged, refusing, page, page)
    assert (tally.failed, tally.refused_streams) == (0, 1)


def test_creation_that_was_not_begun_is_sent_again(acknowledged: Path) -> None:
    def create(state: H2Connection, stream: int) -> bytes:
        state.send_headers(stream, [(":status", "201")], end_stream=True)
        return state.data_to_send()

    tally = load(acknowledged, leave_unbegun, create, kind=Kind(STREAM, CREATE))
    assert (tally.refused_streams, tally.acknowledged) == (1, 1)


def test_server_that_refuses_always_is_a_failure(acknowledged: Path) -> None:
    tally = load(acknowledged, *[leave_unbegun] * 4)
    assert (tally.failed, tally.refused_streams) == (1, 3)


def test_connection_that_is_closed_without_goaway_is_a_failure(acknowledged: Path) -> None:
    tally = load(acknowledged, close, page)
    assert (tally.failed, tally.retried, tally.refused_streams) == (1, 0, 0)


def test_stream_that_was_begun_and_is_not_answered_is_a_failure(acknowledged: Path) -> None:
    def leave_and_close(state: H2Connection, stream: int) -> bytes:
        return leave(stream) + b"\0\0\0\1\0\0\0\0\1"  # DATA without headers, an error of the protocol

    tally = load(acknowledged, leave_and_close, page)
    assert (tally.failed, tally.refused_streams) == (1, 0)


def test_stream_that_is_reset_is_a_failure(acknowledged: Path) -> None:
    tally = load(acknowledged, lambda state, stream: reset(state, stream, ErrorCodes.INTERNAL_ERROR))
    assert (tally.failed, tally.refused_streams) == (1, 0)


def test_upload_waits_for_the_window(acknowledged: Path) -> None:
    def wrong_hash(state: H2Connection, stream: int) -> bytes:
        return respond(state, stream, {"sha256": ""})

    tally = load(acknowledged, wrong_hash, kind=Kind(STREAM, UPLOAD))
    assert [failure["what"] for failure in tally.failures] == ["WrongError: the sha256 is of something else"]
