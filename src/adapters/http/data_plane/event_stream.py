import asyncio
from collections.abc import Coroutine
from typing import Any

from litestar.types import Send

from adapters.http.problems import Headers
from application.inference.ports import EVENTS

_UNBUFFERED = [
    (b"cache-control", b"no-cache, no-transform"),
    # Reverse proxies such as nginx would otherwise hold the events back.
    (b"x-accel-buffering", b"no"),
]
HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), *_UNBUFFERED]
PING = b": ping\n\n"


class EventStreamResponse:
    """A response of server-sent events that keeps the connection alive while nothing comes.

    After each ``heartbeat_s`` without an event it sends a ``ping``, which clients ignore. The first
    one starts the response, so that a proxy does not give up on a model that thinks for long; what
    fails after that can only be told as an event. A response of another ``content_type`` has no
    heartbeat.
    """

    def __init__(
        self,
        send: Send,
        heartbeat_s: float | None,
        *,
        ping: bytes = PING,
        headers: Headers | None = None,
    ) -> None:
        self._send = send
        self._ping_block = ping
        self._headers = headers or []
        self._quiet = True
        self._is_writing = False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        if heartbeat_s is not None:
            self._timer = self._loop.call_later(heartbeat_s, self._tick, heartbeat_s)
        self._ping: asyncio.Task[None] | None = None
        self.content_type = EVENTS
        self.started = False
        self.last = b""

    # Not a coroutine of its own, since there are many blocks.
    def write(self, block: bytes) -> Coroutine[Any, Any, None]:
        self._quiet = False
        self.last = block
        return self.remark(block)

    async def remark(self, comment: bytes) -> None:
        """Say something that clients pass over, as soon as the response has begun."""
        # No ping begins from now on.
        self._is_writing = True
        try:
            if self._ping is not None:
                await self._let_ping_end(self._ping)
            if not self.started:
                await self._start()
            await self._send({"type": "http.response.body", "body": comment, "more_body": True})
        finally:
            self._is_writing = False

    async def finish(self) -> None:
        """End the response, even if it never had anything to say; the heart stops."""
        self.stop()
        if self._ping is not None:
            await self._let_ping_end(self._ping)
        if not self.started:
            await self._start()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._ping is not None:
            self._ping.cancel()

    async def _start(self) -> None:
        self.started = True
        await self._send(
            {"type": "http.response.start", "status": 200, "headers": self._start_headers()}
        )

    def _start_headers(self) -> Headers:
        if self.content_type == EVENTS:
            return [*HEADERS, *self._headers]
        content_type = (b"content-type", self.content_type.encode("latin-1"))
        return [content_type, *_UNBUFFERED, *self._headers]

    def _tick(self, heartbeat_s: float) -> None:
        self._timer = self._loop.call_later(heartbeat_s, self._tick, heartbeat_s)
        is_idle = not self._is_writing and (self._ping is None or self._ping.done())
        if self._quiet and is_idle:
            self._ping = self._loop.create_task(self._beat())
        self._quiet = True

    async def _beat(self) -> None:
        if not self.started:
            await self._start()
        await self._send(
            {"type": "http.response.body", "body": self._ping_block, "more_body": True}
        )

    async def _let_ping_end(self, ping: "asyncio.Task[None]") -> None:
        """Nothing is written while a ping is, which may have been called off."""
        await asyncio.wait([ping])
        self._ping = None
