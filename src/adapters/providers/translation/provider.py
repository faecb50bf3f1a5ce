import re
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from adapters.dialects.dialect import DoorDialect
from adapters.dialects.dialects import DIALECTS
from adapters.dialects.openai_chat.words import FINISH_REASONS
from adapters.providers.generation import GenerationCall, GenerationProvider
from adapters.providers.translation.calling import CallingGeneration
from adapters.providers.translation.stream import TranslatedStream
from adapters.providers.translation.token_count import estimate
from application.inference.ports import (
    GENERATION,
    ModelProvider,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from application.shared.ports import Clock, IdGenerator
from domain.inference.conversation.answer import GenerationAnswer
from domain.inference.conversation.events import Started
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

_BYTES_PER_TOKEN = 4


class TranslatingProvider(ModelProvider):
    """Has ``native`` answer the operations of generation that it ``speaks``, byte for byte, and all
    that are of another kind; the other ones of generation are answered by ``generation``, in the
    dialect of the client.

    Tokens are counted by estimate unless ``native`` can do that. ``tool_names`` are those that the
    provider takes, ``None`` for any: others are told and heard under names that it takes.
    """

    def __init__(
        self,
        native: ModelProvider,
        *,
        speaks: Collection[Operation],
        generation: GenerationProvider,
        clock: Clock,
        ids: IdGenerator,
        dialects: Mapping[Operation, DoorDialect] = DIALECTS,
        tool_names: re.Pattern[str] | None = None,
    ) -> None:
        self.native = native
        self._translates = (GENERATION | {Operation.COUNT_TOKENS}) - frozenset(speaks)
        self._generation = CallingGeneration(generation=generation, names=tool_names)
        self._clock = clock
        self._ids = ids
        self._dialects = dialects

    # Not coroutines of their own: what is native passes through every one of them at each step.
    def complete(self, request: ProviderRequest) -> Coroutine[Any, Any, ProviderAnswer]:
        if request.operation in self._translates:
            return self._translated(request)
        return self.native.complete(request)

    def open_stream(self, request: ProviderRequest) -> Coroutine[Any, Any, ProviderStream]:
        if request.operation in self._translates:
            return self._translated_stream(request)
        return self.native.open_stream(request)

    async def start(self) -> None:
        await self.native.start()

    async def stop(self) -> None:
        await self.native.stop()

    async def _translated(self, request: ProviderRequest) -> ProviderAnswer:
        if request.operation is Operation.COUNT_TOKENS:
            return self._count(request)
        dialect = self._dialect(request)
        asked = dialect.read_request(request.body)
        generated = await self._generation.generate(GenerationCall(request=asked, asked=request))
        answer = self._completed(generated.answer, request)
        try:
            body = dialect.write_answer(answer, asked)
        except StoaError as error:
            error.spent = answer.usage
            error.provider_request_id = generated.provider_request_id
            raise
        return ProviderAnswer(
            body=body,
            usage=answer.usage or Usage(),
            finish_reason=FINISH_REASONS[answer.choices[0].stop] if answer.choices else None,
            provider_request_id=generated.provider_request_id,
        )

    async def _translated_stream(self, request: ProviderRequest) -> ProviderStream:
        dialect = self._dialect(request)
        asked = dialect.read_request(request.body)
        source = await self._generation.open_generation(
            GenerationCall(request=asked, asked=request)
        )
        return TranslatedStream(source, dialect.stream_writer(asked), self._stamped)

    def _dialect(self, request: ProviderRequest) -> DoorDialect:
        dialect = self._dialects.get(request.operation)
        if dialect is None:
            raise UnsupportedByModelError(
                f"The provider '{request.model.provider}' does not offer '{request.operation}'.",
                param="model",
            )
        return dialect

    def _count(self, request: ProviderRequest) -> ProviderAnswer:
        asked = self._dialects[Operation.MESSAGES].read_request(request.body)
        body = msgspec.json.encode({"input_tokens": estimate(asked)})
        return ProviderAnswer(body=body, usage=Usage())

    def _completed(self, answer: GenerationAnswer, request: ProviderRequest) -> GenerationAnswer:
        usage = answer.usage or Usage(
            prompt_tokens=_tokens_in(request.body),
            completion_tokens=sum(
                _tokens_in(msgspec.json.encode(choice.parts)) for choice in answer.choices
            ),
            counted=True,
        )
        return replace(
            answer,
            usage=usage,
            id=answer.id or self._new_id(),
            created=answer.created or self._now(),
        )

    def _stamped(self, started: Started) -> Started:
        return replace(
            started, id=started.id or self._new_id(), created=started.created or self._now()
        )

    def _new_id(self) -> str:
        return f"gen-{self._ids.new().hex}"

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _tokens_in(text: bytes) -> int:
    return -(-len(text) // _BYTES_PER_TOKEN)
