"""The server on a real socket, with an application that does as it is told."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import uvicorn

from adapters.http.server.protocol import ServerProtocol
from adapters.system.ids import SystemIds
from tests.fixtures.patience import PATIENCE_S

HELLO = b"GET /v1/hello HTTP/1.1\r\nhost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK"
LAST_CHUNK = b"0\r\n\r\n"


class App:
    """Answers with the body that it got; ``/wait`` waits until the client is gone."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.left_alone = asyncio.Event()
        self.headers: list[tuple[bytes, bytes]] = []
        self.error: Exception | None = None
        # Between the head of an answer and its body.
        self.pause: asyncio.Event | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, message = b"", {"type": "http.request", "more_body": True}
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        if scope["path"] == "/wait":
            self.waiting.set()
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left_alone.set()
            return
        if self.error is not None:
            raise self.error
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        if self.pause is not None:
            await self.pause.wait()
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(
    protocol: type[ServerProtocol], app: App, *, keep_alive_s: int = 5
) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=partial(protocol, SystemIds()),  # type: ignore[arg-type]  # any factory will do
        lifespan="off",
        ws="none",
        log_config=None,
        timeout_keep_alive=keep_alive_s,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    yield listener.getsockname()[1]
    server.should_exit = True
    await task


async def said(port: int, data: bytes) -> bytes:
    """All that the server answers until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    finally:
        writer.close()


async def begin_of_answer(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.readuntil(b"0\r\n\r\n")
    finally:
        writer.close()
