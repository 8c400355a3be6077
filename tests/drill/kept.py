"""Requests of HTTP/1.1, on new connections and on those that are kept."""

import heapq
import time
from collections.abc import Callable
from itertools import count

from .http1 import Http1
from .tally import Tally
from .wire import Answer, Request, Server, UnansweredError

IDLE_FOR = 60  # seconds after which a client closes


class Fresh:
    """A new connection of HTTP/1.1 for each request, without saying so."""

    def __init__(self, server: Server) -> None:
        self.server, self.tls = server, server.context("http/1.1")

    async def connect(self) -> Http1:
        """Return a new connection (OSError)."""
        return await self.server.connect(Http1, self.tls)

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request."""
        connection = await self.connect()
        answer = await connection.ask(request)
        connection.close()
        return answer

    def close(self) -> None:
        """End nothing, as nothing stays."""


class Kept(Fresh):
    """Connections of HTTP/1.1 that live on, each of which rests for so long after a request."""

    def __init__(self, server: Server, tally: Tally, rest: Callable[[], float]) -> None:
        super().__init__(server)
        self.tally, self.rest = tally, rest
        self.resting: list[tuple[float, int, Http1]] = []
        self.number = count()  # so that no two are compared as connections

    async def take(self) -> Http1:
        """Return the connection that has rested longest, or a new one."""
        now = time.monotonic()
        while self.resting and self.resting[0][0] <= now:
            connection = heapq.heappop(self.resting)[2]
            if connection.open and connection.resting_since > now - IDLE_FOR:
                return connection
            connection.close()
        return await self.connect()

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request."""
        connection = await self.take()
        try:
            answer = await connection.ask(request)
        except UnansweredError:
            if not connection.used or request.method != "GET":
                raise
            self.tally.retried += 1
            connection = await self.connect()
            answer = await connection.ask(request)
        heapq.heappush(self.resting, (time.monotonic() + self.rest(), next(self.number), connection))
        return answer

    def close(self) -> None:
        """End the connections."""
        for *_, connection in self.resting:
            connection.close()
