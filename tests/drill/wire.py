"""What the two protocols share: a request, its answer, how one fails, and how a connection is made."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

TIMEOUT = 60  # seconds that a request may take: longer than the stack gives any
CHUNKS = 40  # that a body is sent in where it takes its time
P = TypeVar("P", bound=asyncio.Protocol)


class UnansweredError(ConnectionError):
    """The connection was closed before any byte of an answer."""


class RefusedError(ConnectionError):
    """The server says that it has not begun with the stream (RFC 9113 §8.7)."""


@dataclass(frozen=True)
class Request:
    """A request; its body is sent over so many seconds."""

    method: str
    path: str
    body: bytes = b""
    seconds: float = 0
    type: str = "application/json"

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the body as it is to be sent."""
        size = -(-len(self.body) // (CHUNKS if self.seconds else 1))
        for start in range(0, len(self.body), size or 1):
            yield self.body[start : start + size]
            if self.seconds:
                await asyncio.sleep(self.seconds / CHUNKS)

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers that go with the body, in lower case as HTTP/2 wants it."""
        length = [("content-type", self.type), ("content-length", str(len(self.body)))]
        return [("user-agent", "slipway-drill"), *(length if self.body else [])]


@dataclass
class Answer:
    """What came back; `whole` has its exception where it did not."""

    whole: asyncio.Future[None]
    status: int = 0
    body: bytearray = field(default_factory=bytearray)

    def fail(self, error: Exception) -> None:
        """Tell who waits that no more will come."""
        if not self.whole.done():
            self.whole.set_exception(error)

    def end(self) -> None:
        """Tell who waits that it is all there."""
        if not self.whole.done():
            self.whole.set_result(None)

    def json(self) -> Any:
        """Return the body (ValueError)."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """Where the load goes; `ca` is a file with the certificates that are trusted."""

    url: str
    ca: str | None = None

    @property
    def authority(self) -> str:
        """The host and its port."""
        return urlsplit(self.url).netloc

    def context(self, protocol: str) -> ssl.SSLContext | None:
        """Return what TLS is made with; nothing where the URL is http."""
        if not self.url.startswith("https:"):
            return None
        context = ssl.create_default_context(cafile=self.ca)
        context.set_alpn_protocols([protocol])
        return context

    async def connect(self, make: Callable[[str], P], tls: ssl.SSLContext | None) -> P:
        """Return a new connection (OSError)."""
        parts = urlsplit(self.url)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: make(parts.netloc), parts.hostname or "", parts.port or 443, ssl=tls
        )
        return connection
