import asyncio
from collections.abc import Callable

import pytest

from tests.drill.http1 import Http1
from tests.drill.http2 import Http2
from tests.drill.wire import Request
from tests.unit.drill.servers import run_apart, serving


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close at once."""


@pytest.mark.parametrize("make", [Http1, Http2])
def test_connection_that_is_lost_before_a_request_fails_it_at_once(
    make: Callable[[str], Http1 | Http2],
) -> None:
    async def ask() -> None:
        async with serving(hang_up) as server:
            connection = await server.connect(make, None)
            while not connection.lost:
                await asyncio.sleep(0)
            with pytest.raises(ConnectionError, match="closed before anything was sent"):
                await connection.ask(Request("GET", "/"))

    run_apart(ask())


@pytest.mark.parametrize("seconds", [0, 0.001])
@pytest.mark.parametrize("size", [0, 1, 39, 40, 41, 801])
def test_parts_are_the_whole_body(size: int, seconds: float) -> None:
    body = bytes(number % 256 for number in range(size))

    async def parts() -> list[bytes]:
        return [part async for part in Request("POST", "/", body, seconds).parts()]

    assert b"".join(run_apart(parts())) == body
