"""A connection of HTTP/1.1, by h11."""

import asyncio
import time
from typing import cast

import h11

from .wire import Answer, Request, UnansweredError


class Http1(asyncio.Protocol):
    """A connection that takes one request at a time, and sends none again."""

    def __init__(self, authority: str) -> None:
        self.authority = authority
        self.state = h11.Connection(h11.CLIENT)
        self.answer: Answer | None = None
        self.began = False
        self.lost = False
        self.used = 0
        self.resting_since = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    @property
    def open(self) -> bool:
        """Tell whether the next request may be sent, as far as is known."""
        return not self.transport.is_closing() and self.state.our_state is h11.IDLE

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request (UnansweredError, OSError, h11.RemoteProtocolError)."""
        answer = self.answer = Answer(asyncio.get_running_loop().create_future())
        self.began = False
        if self.lost:
            raise UnansweredError("closed before anything was sent")
        try:
            await self.send(request, answer)
            await answer.whole
        except BaseException:
            self.transport.abort()
            raise
        self.rest()
        return answer

    async def send(self, request: Request, answer: Answer) -> None:
        """Send a request, as far as nothing speaks against it."""
        headers = [("host", self.authority), *request.headers()]
        self.write(h11.Request(method=request.method, target=request.path, headers=headers))
        async for part in request.parts():
            if answer.whole.done():
                return
            self.write(h11.Data(data=part))
        self.write(h11.EndOfMessage())

    def write(self, event: h11.Event) -> None:
        """Send what h11 makes of an event."""
        if not self.transport.is_closing():
            self.transport.write(self.state.send(event) or b"")

    def rest(self) -> None:
        """Be there for the next request, unless server or client has said that there is none."""
        self.used += 1
        self.answer = None
        self.resting_since = time.monotonic()
        if self.state.our_state is h11.DONE and self.state.their_state is h11.DONE:
            self.state.start_next_cycle()
        else:
            self.close()

    def close(self) -> None:
        """End the connection."""
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        self.began = True
        self.state.receive_data(data)
        try:
            while self.take(self.state.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self.fail(error)
            self.transport.abort()

    def take(self, event: object) -> bool:
        """Take up what came; tell whether there may be more of it."""
        if self.answer and isinstance(event, h11.Response):
            self.answer.status = event.status_code
        elif self.answer and isinstance(event, h11.Data):
            self.answer.body += event.data
        elif self.answer and isinstance(event, h11.EndOfMessage):
            self.answer.end()
        return isinstance(event, h11.Response | h11.InformationalResponse | h11.Data)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if self.began:
            self.fail(ConnectionError(f"closed within an answer ({error})"))
        self.fail(
            UnansweredError(f"closed before any byte of an answer, request {self.used + 1} on it ({error})")
        )

    def fail(self, error: Exception) -> None:
        """Tell who waits for an answer that it will not come."""
        if self.answer:
            self.answer.fail(error)
