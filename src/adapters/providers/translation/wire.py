"""A provider whose wire format is one that clients speak too."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from adapters.dialects.dialect import StreamReader, UpstreamDialect
from adapters.providers.generation import (
    Generated,
    GenerationCall,
    GenerationProvider,
    GenerationStream,
)
from application.inference.ports import (
    ModelProvider,
    Operation,
    ProviderRequest,
    ProviderStream,
    StreamReport,
)
from domain.inference.conversation.events import StreamEvent
from domain.inference.conversation.request import GenerationRequest


class WireStream(AsyncIterator[list[StreamEvent]], GenerationStream):
    def __init__(self, source: ProviderStream, reader: StreamReader) -> None:
        self._source = source
        self._blocks = aiter(source)
        self._reader = reader
        self._is_over = False

    @property
    def report(self) -> StreamReport:
        return self._source.report

    async def __anext__(self) -> list[StreamEvent]:
        if self._is_over:
            raise StopAsyncIteration
        try:
            block = await anext(self._blocks)
        except StopAsyncIteration:
            self._is_over = True
            return self._reader.end()
        return self._reader.feed(block)

    async def aclose(self) -> None:
        self._is_over = True
        await self._source.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class WireGeneration(GenerationProvider):
    """Asks ``provider`` for ``operation`` in its ``dialect``."""

    provider: ModelProvider
    operation: Operation
    dialect: UpstreamDialect

    async def generate(self, call: GenerationCall) -> Generated:
        found = await self.provider.complete(self._asking(call, call.request))
        answer = self.dialect.read_answer(found.body)
        if answer.usage is None:
            answer = replace(answer, usage=found.usage)
        return Generated(answer=answer, provider_request_id=found.provider_request_id)

    async def open_generation(self, call: GenerationCall) -> GenerationStream:
        # The provider withholds the usage from those who do not ask for it.
        asking = self._asking(call, replace(call.request, include_usage=True))
        stream = await self.provider.open_stream(replace(asking, include_usage=True))
        return WireStream(stream, self.dialect.stream_reader())

    def _asking(self, call: GenerationCall, request: GenerationRequest) -> ProviderRequest:
        body = self.dialect.write_request(request, call.asked.model)
        return replace(call.asked, operation=self.operation, body=body)
