import asyncio
from collections.abc import AsyncIterator

from application.inference.ports import (
    ModelProvider,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
    StreamReport,
)

# Who was given the provider before it was replaced may only now make his call.
GRACE_S = 2.0


class LentProvider(ModelProvider):
    """A provider that knows how many of its calls are running, so that it is never stopped under
    one of them."""

    def __init__(self, provider: ModelProvider) -> None:
        self.provider = provider
        self.running = 0
        self._ended: asyncio.Event | None = None

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        self.running += 1
        try:
            return await self.provider.complete(request)
        finally:
            self.give_back()

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        self.running += 1
        try:
            stream = await self.provider.open_stream(request)
        except BaseException:
            self.give_back()
            raise
        return LentStream(stream, self)

    async def start(self) -> None:
        await self.provider.start()

    async def stop(self) -> None:
        await self.provider.stop()

    async def retire(self, grace_s: float = GRACE_S) -> None:
        """Stop when the calls that are running have ended."""
        await asyncio.sleep(grace_s)
        while self.running:
            self._ended = asyncio.Event()
            await self._ended.wait()
        await self.stop()

    def give_back(self) -> None:
        """A call has ended."""
        self.running -= 1
        if self._ended is not None and not self.running:
            self._ended.set()


class LentStream(ProviderStream):
    """Ends the loan when it is closed, or when nobody has it any more."""

    __slots__ = ("_lender", "_stream")

    def __init__(self, stream: ProviderStream, lender: LentProvider) -> None:
        self._stream = stream
        self._lender: LentProvider | None = lender

    @property
    def report(self) -> StreamReport:
        return self._stream.report

    def __aiter__(self) -> AsyncIterator[bytes]:
        # Not through here: there may be tens of thousands of blocks in a second.
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._end()

    def _end(self) -> None:
        lender, self._lender = self._lender, None
        if lender is not None:
            lender.give_back()

    def __del__(self) -> None:
        self._end()
