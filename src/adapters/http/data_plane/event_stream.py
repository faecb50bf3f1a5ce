import asyncio

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
        self._lock = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        if heartbeat_s is not None:
            self._timer = self._loop.call_later(heartbeat_s, self._tick, heartbeat_s)
        self._ping: asyncio.Task[None] | None = None
        self.content_type = EVENTS
        self.started = False
        self.last = b""

    async def write(self, block: bytes) -> None:
        self._quiet = False
        self.last = block
        if self._lock.locked() or not self.started:
            async with self._lock:
                await self._write(block)
        else:
            await self._send({"type": "http.response.body", "body": block, "more_body": True})

    async def remark(self, comment: bytes) -> None:
        """Say something that clients pass over, as soon as the response has begun."""
        async with self._lock:
            await self._write(comment)

    async def finish(self) -> None:
        """End the response, even if it never had anything to say; the heart stops."""
        self.stop()
        async with self._lock:
            await self._start()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._ping is not None:
            self._ping.cancel()

    async def _write(self, block: bytes) -> None:
        await self._start()
        await self._send({"type": "http.response.body", "body": block, "more_body": True})

    async def _start(self) -> None:
        if not self.started:
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
        if self._quiet and (self._ping is None or self._ping.done()):
            self._ping = self._loop.create_task(self._beat())
        self._quiet = True

    async def _beat(self) -> None:
        async with self._lock:
            await self._write(self._ping_block)
