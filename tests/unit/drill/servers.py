"""Servers on loopback that answer wrongly, and what the load makes of them."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, StreamEnded

from tests.drill.actions import Actions
from tests.drill.journal import Journal
from tests.drill.kinds import Kind
from tests.drill.pace import Load
from tests.drill.tally import Tally
from tests.drill.wire import Server

Result = TypeVar("Result")
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Reply = Callable[[bytes], bytes]  # the answer to a body
OnStream = Callable[[H2Connection, int], bytes]  # what is sent at once where a request is whole


def answer(status: int, document: object, *headers: str) -> bytes:
    """Return an answer of HTTP/1.1."""
    body = json.dumps(document)
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", body]).encode()


def replying(*replies: Reply) -> Handle:
    """Return what answers requests with these in turns, over all connections; after b"" it closes."""
    turns = iter(replies)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(65536):
            length = re.search(rb"content-length: (\d+)", head)
            body = head.partition(b"\r\n\r\n")[2]
            while length and len(body) < int(length[1]):
                body += await reader.read(65536)
            if not (reply := next(turns)(body)):
                break
            writer.write(reply)
            if b"Connection: close" in reply:
                break

    return handle


def streaming(*connections: OnStream) -> Handle:
    """Return what speaks HTTP/2, each connection in its own way; it closes where nothing is sent."""
    turns = iter(connections)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state, on_stream = H2Connection(H2Configuration(client_side=False)), next(turns)
        state.initiate_connection()
        writer.write(state.data_to_send())
        while data := await reader.read(65536):
            for event in state.receive_data(data):
                if isinstance(event, DataReceived):
                    state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if isinstance(event, StreamEnded):
                    sent = on_stream(state, event.stream_id)
                    writer.write(sent)
                    if not sent:
                        return
            writer.write(state.data_to_send())

    return handle


@asynccontextmanager
async def serving(handle: Handle) -> AsyncIterator[Server]:
    """Serve on a free port of loopback, until the last client has closed."""
    served: list[asyncio.Future[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(ended := asyncio.get_running_loop().create_future())
        with suppress(ConnectionError):
            await handle(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        ended.set_result(None)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield Server(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await asyncio.gather(*served)


def load(handle: Handle, acknowledged: Path, *kinds: Kind) -> Tally:
    """Send these requests one after the other to a server; return what came of them."""

    async def run() -> Tally:
        async with serving(handle) as server:
            actions = Actions(Tally(), Journal(acknowledged), upload_takes=(0, 0))
            load = Load(server, actions)
            for kind in kinds:
                await load.one(kind, time.monotonic())
                for _ in range(10):  # turns of the loop, in which a server that closes has closed
                    await asyncio.sleep(0.001)
            load.close()
            return load.tally

    return run_apart(run())


def run_apart(work: Coroutine[Any, Any, Result]) -> Result:
    """Do `work` in a loop, in a thread of its own, as the tests with a browser leave one running in this."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
