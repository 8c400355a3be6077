"""What comes on a connection of HTTP/2, by h2."""

import asyncio
from typing import cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from hyperframe.frame import Frame, GoAwayFrame

from .wire import Answer, RefusedError


class State(H2Connection):
    """h2 takes GOAWAY for the end at once, though what was begun is still answered (RFC 9113 §6.8).

    https://github.com/python-hyper/h2/issues/1181
    """

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        event = ConnectionTerminated()
        event.error_code, event.last_stream_id = frame.error_code, frame.last_stream_id
        return [], [event]


class Receiver(asyncio.Protocol):
    """The half of a connection that takes up answers."""

    def __init__(self) -> None:
        self.state = State(H2Configuration(header_encoding="utf-8"))
        self.answers: dict[int, Answer] = {}
        self.leaving = ""  # what the server said
        self.lost = False
        self.moved = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.state.initiate_connection()
        self.flush()

    def data_received(self, data: bytes) -> None:
        try:
            for event in self.state.receive_data(data):
                self.take(event)
        except ProtocolError as error:
            self.fail(error)
            self.transport.abort()
        self.flush()
        self.moved.set()

    def take(self, event: Event) -> None:
        """Take up what came."""
        if isinstance(event, ConnectionTerminated):
            self.leave(event.last_stream_id or 0, event.error_code)
        elif answer := self.answers.get(getattr(event, "stream_id", None) or 0):
            self.take_answer(answer, event)

    def take_answer(self, answer: Answer, event: Event) -> None:
        """Take up what came of an answer."""
        if isinstance(event, ResponseReceived):
            answer.status = int(dict(event.headers or [])[":status"])
        elif isinstance(event, DataReceived):
            answer.body += event.data
            self.state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            answer.end()
        elif isinstance(event, StreamReset):
            refused = event.error_code == ErrorCodes.REFUSED_STREAM
            answer.fail((RefusedError if refused else ConnectionError)(f"stream reset: {event.error_code!r}"))

    def leave(self, last: int, code: int | None) -> None:
        """Open no more streams; those above `last` were not begun."""
        self.leaving = f"GOAWAY {code} up to stream {last}"
        for number, answer in self.answers.items():
            if number > last:
                answer.fail(RefusedError(self.leaving))

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self.fail(ConnectionError(f"closed before the answer was whole ({error}) {self.leaving}".rstrip()))
        self.moved.set()

    def fail(self, error: Exception) -> None:
        """Tell all who wait for an answer that it will not come."""
        for answer in self.answers.values():
            answer.fail(error)

    def flush(self) -> None:
        """Send what h2 has made."""
        if data := self.state.data_to_send():
            self.transport.write(data)
