from collections.abc import AsyncIterator, Callable

from adapters.dialects.dialect import StreamWriter
from adapters.providers.generation import GenerationStream
from application.inference.ports import ProviderStream, StreamReport
from domain.inference.conversation.events import Measured, Started, StreamEvent

Stamp = Callable[[Started], Started]


class TranslatedStream(AsyncIterator[bytes], ProviderStream):
    """A provider's events in the dialect of the client."""

    def __init__(self, source: GenerationStream, writer: StreamWriter, stamp: Stamp) -> None:
        """``stamp`` completes what the provider says of its answer as a whole."""
        self._source = source
        self._events = aiter(source)
        self._writer = writer
        self._stamp = stamp
        self._is_measured = False
        self._is_over = False

    @property
    def report(self) -> StreamReport:
        return self._source.report

    async def __anext__(self) -> bytes:
        while not self._is_over:
            try:
                events = await anext(self._events)
            except StopAsyncIteration:
                return self._end()
            block = self._writer.write([self._seen(event) for event in events])
            if block:
                return block
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._is_over = True
        await self._source.aclose()

    def _seen(self, event: StreamEvent) -> StreamEvent:
        if isinstance(event, Measured):
            self._is_measured = True
        return self._stamp(event) if isinstance(event, Started) else event

    def _end(self) -> bytes:
        self._is_over = True
        # Clients are told what was counted where the provider said nothing.
        counted = [] if self._is_measured else [Measured(usage=self.report.usage)]
        return self._writer.write(counted) + self._writer.end()
