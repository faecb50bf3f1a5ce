from dataclasses import replace

from adapters.providers.mistral.moderation import flagged_answer
from adapters.providers.mistral.thoughts import PlainStream, plain_answer
from application.inference.ports import (
    ModelProvider,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)


class MistralProvider(ModelProvider):
    """Mistral's API by way of OpenAI's, which it nearly speaks; ``native`` has requests adapted,
    and answers are made what OpenAI's clients expect."""

    def __init__(self, native: ModelProvider) -> None:
        self._native = native

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        answer = await self._native.complete(request)
        if request.operation is Operation.CHAT:
            return replace(answer, body=plain_answer(answer.body))
        if request.operation is Operation.MODERATION:
            return replace(answer, body=flagged_answer(answer.body))
        return answer

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        stream = await self._native.open_stream(request)
        return PlainStream(stream) if request.operation is Operation.CHAT else stream

    async def start(self) -> None:
        await self._native.start()

    async def stop(self) -> None:
        await self._native.stop()
