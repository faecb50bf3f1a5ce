from asyncio import Future, get_running_loop
from collections.abc import AsyncIterator
from typing import Protocol

from adapters.providers.transport.endpoint import Endpoint
from adapters.providers.transport.transport import UpstreamResponse
from domain.inference.errors import ProviderFailedError, ProviderUnreachableError
from domain.shared.errors import StoaError

HIGH_WATER_BYTES = 256 * 1024
FINISH_WITHIN_S = 1.0
FINISH_BYTES = 64 * 1024


class Exchange(Protocol):
    """What a response asks of the connection that it arrives on."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def abort(self) -> None: ...

    def end_within(self, seconds: float) -> None:
        """Abort unless the answer is over by then."""
        ...


class PooledResponse(UpstreamResponse, AsyncIterator[bytes]):
    """One answer, filled by its connection and drained by its reader.

    The two meet in ``waiter``: the connection wakes it for the head, for a block while blocks are
    read, and for the end; nothing else is awaited, so an answer that came in one segment costs its
    reader a single suspension.
    """

    __slots__ = (
        "_streaming",
        "_waiter",
        "_whole",
        "chunks",
        "complete",
        "endpoint",
        "error",
        "exchange",
        "headers",
        "high_water",
        "loop",
        "size",
        "status_code",
    )

    def __init__(self, endpoint: Endpoint, exchange: Exchange) -> None:
        self.endpoint = endpoint
        self.exchange: Exchange | None = exchange
        self.loop = get_running_loop()
        self.status_code = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: list[bytes] = []
        self.size = 0
        self.high_water = HIGH_WATER_BYTES
        self.complete = False
        self.error: StoaError | None = None
        self._waiter: Future[None] | None = None
        self._streaming = False
        self._whole = False

    @property
    def status(self) -> int:
        return self.status_code

    def header(self, name: str) -> str | None:
        wanted = name.encode("ascii")
        for key, value in self.headers:
            if key.lower() == wanted:
                return value.decode("latin-1")
        return None

    def delimited(self) -> bool:
        """Whether the head says where the body ends; otherwise the end of the connection does."""
        return any(
            key.lower() in (b"content-length", b"transfer-encoding") for key, _ in self.headers
        )

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def feed(self, data: bytes) -> None:
        self.chunks.append(data)
        self.size += len(data)
        if self.size > self.high_water:
            self._overflow()
        if self._streaming:
            self.wake()

    def fail(self, error: StoaError) -> None:
        self.error = error
        self.exchange = None
        self.wake()

    def end(self) -> None:
        self.complete = True
        self.exchange = None
        self.wake()

    async def wait(self) -> None:
        """Until the connection wakes the reader; a cancelled reader takes the connection along."""
        self._waiter = waiter = self.loop.create_future()
        try:
            await waiter
        except BaseException:
            await self.aclose()
            raise

    async def read(self, limit: int) -> bytes:
        self._whole = True
        self.high_water = limit
        if self.size > limit:
            self._overflow()
        elif self.exchange is not None:
            self.exchange.resume()
        while not self.complete:
            if self.error is not None:
                raise self.error
            await self.wait()
        return self._take()

    def iter_blocks(self) -> AsyncIterator[bytes]:
        self._streaming = True
        return self

    async def __anext__(self) -> bytes:
        while not self.chunks:
            if self.complete:
                raise StopAsyncIteration
            if self.error is not None:
                raise self.error
            # As in wait(), without the cost of a coroutine for every block.
            self._waiter = waiter = self.loop.create_future()
            try:
                await waiter
            except BaseException:
                await self.aclose()
                raise
        return self._take()

    async def finish(self) -> None:
        exchange = self.exchange
        if exchange is not None:
            self._whole, self._streaming = True, False
            self.size, self.high_water = 0, FINISH_BYTES
            self.chunks.clear()
            exchange.resume()
            exchange.end_within(FINISH_WITHIN_S)

    async def aclose(self) -> None:
        exchange = self.exchange
        if exchange is not None:
            exchange.abort()
            peer = self.endpoint.peer
            self.fail(ProviderUnreachableError(f"The answer of the provider '{peer}' was aborted."))

    def _take(self) -> bytes:
        chunks = self.chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self.size = 0
        if self.exchange is not None:
            self.exchange.resume()
        return data

    def _overflow(self) -> None:
        exchange = self.exchange
        if not self._whole:
            if exchange is not None:
                exchange.pause()
            return
        if exchange is not None:
            exchange.abort()
        self.complete = False
        self.fail(
            ProviderFailedError(
                f"The answer of the provider '{self.endpoint.peer}' is larger than "
                f"{self.high_water} bytes."
            )
        )
