"""Requests of HTTP/2, on a few connections."""

import asyncio

from .http2 import Http2
from .tally import Tally
from .wire import Answer, RefusedError, Request, Server

STREAMED = 3  # connections, where they have room
REFUSALS = 3


class Streams:
    """A few connections of HTTP/2, and more while those are full."""

    def __init__(self, server: Server, tally: Tally) -> None:
        self.server, self.tally, self.tls = server, tally, server.context("h2")
        self.lock = asyncio.Lock()
        self.connections: list[Http2] = []

    async def take(self) -> Http2:
        """Return the connection with the most room."""
        async with self.lock:
            self.connections = [connection for connection in self.connections if connection.open]
            if sum(connection.room > 0 for connection in self.connections) < STREAMED:
                self.connections.append(await self.server.connect(Http2, self.tls))
            return min(self.connections, key=lambda connection: (len(connection.answers), connection.opened))

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request."""
        for _ in range(REFUSALS):
            try:
                return await (await self.take()).ask(request)
            except RefusedError:
                self.tally.refused_streams += 1
        return await (await self.take()).ask(request)

    def close(self) -> None:
        """End the connections."""
        for connection in self.connections:
            connection.close()
