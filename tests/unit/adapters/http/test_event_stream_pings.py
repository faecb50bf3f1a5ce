"""Pings and blocks never get into each other, however slowly the client reads."""

import asyncio
from typing import Any

from adapters.http.data_plane.event_stream import PING, EventStreamResponse
from tests.fixtures.patience import PATIENCE_S

HEARTBEAT_S = 0.002


class SlowClient:
    """Takes a message when it is let; ``offered`` are all that were on their way to it."""

    def __init__(self) -> None:
        self.offered: list[bytes] = []
        self.takes = asyncio.Event()

    async def send(self, message: Any) -> None:
        if "body" in message:
            self.offered.append(message["body"])
            await self.takes.wait()

    async def is_offered(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.offered) < count:
                await asyncio.sleep(0)


async def test_nothing_is_written_while_a_block_waits_for_the_client() -> None:
    client = SlowClient()
    response = EventStreamResponse(client.send, HEARTBEAT_S)

    writing = asyncio.create_task(response.write(b"data: 1\n\n"))
    await client.is_offered(1)
    await asyncio.sleep(HEARTBEAT_S * 10)

    assert client.offered == [b"data: 1\n\n"]

    client.takes.set()
    await writing
    await response.finish()


async def test_a_block_waits_for_the_ping_before_it() -> None:
    client = SlowClient()
    response = EventStreamResponse(client.send, HEARTBEAT_S)

    await client.is_offered(1)
    writing = asyncio.create_task(response.write(b"data: 1\n\n"))
    await asyncio.sleep(HEARTBEAT_S * 10)

    assert client.offered == [PING]

    client.takes.set()
    await writing
    await response.finish()
    assert client.offered[:2] == [PING, b"data: 1\n\n"]
