"""When the requests are sent."""

import asyncio
import time
from contextlib import suppress

from .actions import Actions
from .kinds import UPLOADS, Kind, due, kinds
from .pools import pools
from .wire import TIMEOUT, Server


class Load:
    """Requests that are sent when they are due, whether or not those before them are answered."""

    def __init__(self, server: Server, actions: Actions) -> None:
        self.actions, self.tally = actions, actions.tally
        self.pools = pools(server, self.tally)
        self.stop = asyncio.Event()
        self.running: set[asyncio.Task[None]] = set()

    async def run(self, rate: float) -> None:
        """Send until told to stop, and wait for what is under way."""
        keeping = asyncio.create_task(self.actions.journal.keep())
        uploading = asyncio.create_task(self.upload())
        await self.pace(rate)
        await asyncio.gather(uploading, *self.running)
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        self.close()

    def close(self) -> None:
        """Write down what is acknowledged, and end the connections."""
        self.actions.journal.close()
        for pool in self.pools.values():
            pool.close()

    async def pace(self, rate: float) -> None:
        """Send by the clock."""
        began, sent, sending = time.monotonic(), 0, kinds()
        while not self.stop.is_set():
            now = time.monotonic()
            for number in range(sent, sent := due(now - began, rate)):
                self.tally.late = max(self.tally.late, now - began - number / rate)
                self.start(next(sending), began + number / rate)
            await asyncio.sleep(began + sent / rate - time.monotonic())
        self.tally.end()

    def start(self, kind: Kind, at: float) -> None:
        """Begin a request."""
        task = asyncio.create_task(self.one(kind, at))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def one(self, kind: Kind, at: float) -> None:
        """Make a request, which was due at this time."""
        try:
            async with asyncio.timeout(TIMEOUT):
                await self.actions.act(kind.action, self.pools[kind.connection])
        except Exception as error:
            self.tally.fail(str(kind), error)
        else:
            self.tally.succeed(str(kind), time.monotonic() - at)

    async def upload(self) -> None:
        """Have an upload under way at any time, of one protocol and the other in turns."""
        turn = 0
        while not self.stop.is_set():
            failed = self.tally.failed
            await self.one(UPLOADS[turn % len(UPLOADS)], time.monotonic())
            turn += 1
            if self.tally.failed > failed:
                await asyncio.sleep(0.1)  # where nothing answers, it is no busy loop
