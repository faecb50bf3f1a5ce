"""A stream of events that says the same in other words."""

from collections.abc import AsyncIterator, Callable

from adapters.providers.generation import GenerationStream
from application.inference.ports import StreamReport
from domain.inference.conversation.events import StreamEvent

Rewrite = Callable[[list[StreamEvent]], list[StreamEvent]]


class RewrittenStream(AsyncIterator[list[StreamEvent]], GenerationStream):
    def __init__(self, source: GenerationStream, rewrite: Rewrite) -> None:
        self._source = source
        self._events = aiter(source)
        self._rewrite = rewrite

    @property
    def report(self) -> StreamReport:
        return self._source.report

    async def __anext__(self) -> list[StreamEvent]:
        return self._rewrite(await anext(self._events))

    async def aclose(self) -> None:
        await self._source.aclose()
