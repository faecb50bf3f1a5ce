"""Events on the wire, as server-sent events: https://html.spec.whatwg.org/#server-sent-events"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from adapters.http.data_plane.event_stream import HEADERS, PING
from adapters.http.data_plane.hangup import Hangup
from adapters.http.events.open_streams import OpenStreams
from adapters.http.events.schemas import EventView
from application.operations.events.listen_to_events import Listener
from application.shared.actor import Actor
from domain.operations.event import Event
from domain.shared.errors import FunctionalError, UnavailableError

# How long browsers wait before they come back, in milliseconds.
GREETING = b"retry: 1000\n\n"
RETRY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds: of silence until a comment is sent, between two looks at the credentials, which cost
    some twenty microseconds, and that a client may leave unread what was sent."""

    heartbeat: float = 15.0
    check: float = 0.75
    patience: float = 30.0


class EventStream(ASGIResponse):
    """Tells a client what happens, until it leaves, its credentials are void, or the server stops.

    Nothing is queued for a client that is slow: the next events are asked for when the last ones
    are sent. One that does not read at all is let go. Whoever was let go comes back with the id of
    the last event and misses nothing.
    """

    def __init__(
        self,
        *,
        actor: Actor,
        listen: Callable[[], Awaitable[Listener]],
        who_asks: Callable[[], Awaitable[Actor]],
        streams: OpenStreams,
        pace: Pace,
    ) -> None:
        """``who_asks`` looks at the credentials of the request again."""
        super().__init__()
        self._actor = actor
        self._listen = listen
        self._who_asks = who_asks
        self._streams = streams
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._streams.counted(self._actor):
            listener = await self._listen()
            try:
                async with Hangup(scope, receive):
                    await self._answer(send, listener)
            finally:
                listener.close()

    async def _answer(self, send: Send, listener: Listener) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS[:]})
        with contextlib.suppress(TimeoutError):
            await self._write(send, GREETING)
            await self._tell(send, listener)
            await self._write(send, b"", more=False)

    async def _tell(self, send: Send, listener: Listener) -> None:
        loop = asyncio.get_running_loop()
        ending = loop.create_task(self._streams.ending.wait())
        coming = loop.create_task(_next(listener))
        sent_at = loop.time()
        try:
            while True:
                await asyncio.wait(
                    (ending, coming),
                    timeout=min(self._pace.check, self._pace.heartbeat),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if ending.done() or not await self._is_welcome(listener):
                    return
                block = b""
                if coming.done():
                    block = written(listener.of_concern(coming.result()))
                    coming = loop.create_task(_next(listener))
                if not block and loop.time() - sent_at >= self._pace.heartbeat:
                    block = PING
                if block:
                    await self._write(send, block)
                    sent_at = loop.time()
        finally:
            ending.cancel()
            coming.cancel()

    async def _is_welcome(self, listener: Listener) -> bool:
        try:
            return listener.go_on_as(await self._who_asks())
        except UnavailableError:
            # Nothing is revoked while the database is away, so the last answer stands.
            return True
        except FunctionalError:
            return False

    async def _write(self, send: Send, block: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(self._pace.patience):
            await send({"type": "http.response.body", "body": block, "more_body": more})


def written(events: Sequence[Event]) -> bytes:
    """The events as they are sent."""
    return b"".join(
        b"id: %b\nevent: %b\ndata: %b\n\n"
        % (str(event.id).encode(), event.type.encode(), msgspec.json.encode(EventView.of(event)))
        for event in events
    )


async def _next(listener: Listener) -> tuple[Event, ...]:
    while True:
        try:
            return await listener.next()
        except UnavailableError:
            # A browser that is turned away does not come back by itself; it rather waits here.
            await asyncio.sleep(RETRY_S)
