"""A connection of HTTP/2, by h2."""

import asyncio
from contextlib import suppress

from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from .receiver import Receiver
from .wire import Answer, Request


class Http2(Receiver):
    """A connection that takes many requests at a time, and sends none again."""

    def __init__(self, authority: str) -> None:
        super().__init__()
        self.authority = authority
        self.opened = 0  # streams, so far

    @property
    def open(self) -> bool:
        """Tell whether streams may still be opened, as far as is known."""
        return not self.leaving and not self.transport.is_closing()

    @property
    def room(self) -> int:
        """How many more streams the server takes at once."""
        return self.state.remote_settings.max_concurrent_streams - len(self.answers)

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request (RefusedError, OSError, h2's ProtocolError)."""
        if self.lost:
            raise ConnectionError("closed before anything was sent")
        self.opened += 1
        number = self.state.get_next_available_stream_id()
        answer = self.answers[number] = Answer(asyncio.get_running_loop().create_future())
        try:
            await self.send(number, request, answer)
            await answer.whole
        except asyncio.CancelledError:
            self.cancel(number)
            raise
        finally:
            self.forget(number)
        return answer

    async def send(self, number: int, request: Request, answer: Answer) -> None:
        """Send a request, as far as nothing speaks against it."""
        names = {":method": request.method, ":path": request.path, ":authority": self.authority}
        headers = [(":scheme", "https"), *names.items(), *request.headers()]
        self.state.send_headers(number, headers, end_stream=not request.body)
        async for part in request.parts():
            await self.send_part(number, part, answer)
        if answer.whole.done():
            self.cancel(number)
        elif request.body:
            self.state.end_stream(number)
        self.flush()

    async def send_part(self, number: int, part: bytes, answer: Answer) -> None:
        """Send a part of a body, as the windows allow."""
        while part and not answer.whole.done():
            room = self.state.local_flow_control_window(number)
            if size := min(len(part), room, self.state.max_outbound_frame_size):
                self.state.send_data(number, part[:size])
                part = part[size:]
                self.flush()
            else:
                self.moved.clear()
                await self.moved.wait()

    def cancel(self, number: int) -> None:
        """Tell the server that a stream is of no use any more, where it is open."""
        with suppress(ProtocolError):
            self.state.reset_stream(number, ErrorCodes.CANCEL)
        self.flush()

    def forget(self, number: int) -> None:
        """End a stream; after the last one, the connection where the server leaves."""
        del self.answers[number]
        if self.leaving and not self.answers:
            self.close()

    def close(self) -> None:
        """End the connection."""
        self.transport.close()
