"""The connections that the load comes on, and the only two cases in which a request is sent again.

Nothing is sent again by h11, h2 or asyncio. Here are, each counted, as every client has them:

- `retried`: a GET on an HTTP/1.1 connection that had answered before, and was closed before any byte of this
  answer, is sent on a new connection, once (RFC 9112 §9.3.1). A POST never is: it fails.
- `refused_streams`: a request on a stream of HTTP/2 that the server has not begun with, as it is above the
  last stream of a GOAWAY or reset with REFUSED_STREAM, is sent on another connection, up to three times
  (RFC 9113 §8.7).

A connection that is known to be closed, or has idled for a minute, is not sent on at all: not counted.
"""

import random
from typing import Protocol

from .kept import Fresh, Kept
from .kinds import FRESH, IDLE, KEPT, STREAM
from .streams import Streams
from .tally import Tally
from .wire import Answer, Request, Server


class Pool(Protocol):
    """What requests are sent by."""

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request."""

    def close(self) -> None:
        """End the connections."""


def pools(server: Server, tally: Tally) -> dict[str, Pool]:
    """Return what each kind of connection is had from."""
    return {
        KEPT: Kept(server, tally, lambda: 0),
        IDLE: Kept(server, tally, lambda: random.uniform(2, 4)),  # noqa: S311 # no secret
        FRESH: Fresh(server),
        STREAM: Streams(server, tally),
    }
