"""Models inside this process: llama.cpp for GGUF files, numpy for the embedded MiniLM."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from adapters.providers.local.admission import Admission
from adapters.providers.local.chat_answer import ChatAnswer
from adapters.providers.local.chat_request import read_chat
from adapters.providers.local.completion_answer import CompletionAnswer
from adapters.providers.local.completion_request import read_completion
from adapters.providers.local.embedding_calls import EmbeddingCalls
from adapters.providers.local.engine import (
    ChatEngine,
    EmbeddingEngine,
    GenerationCall,
)
from adapters.providers.local.generation import Generation
from adapters.providers.local.hosted_model import HostedModel, ModelStatus
from adapters.providers.local.loading import load_chat, load_embedding
from adapters.providers.local.local_stream import ENCODER, Answer, LocalStream
from adapters.providers.local.model_spec import LocalModelSpec, check_installed
from adapters.providers.local.parameters import read_object
from adapters.providers.local.pieces import UsageTally, read_piece
from adapters.providers.local.workers import Workers
from application.inference.ports import (
    ModelProvider,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
)
from application.shared.ports import Clock, IdGenerator
from domain.inference.errors import ProviderFailedError
from domain.models.errors import WrongModelKindError
from domain.models.served_model import ModelKind, ServedModel

QUEUE_SIZE = 64
LOAD_TIMEOUT_S = 30.0
# A stream that waits longer than this for its turn is handed over before the model has taken the
# request, so that the client can be kept warm; what the model has against it then ends the stream.
ACCEPT_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 1.5
_OF_VECTORS = {Operation.EMBEDDING: ModelKind.EMBEDDING, Operation.RERANK: ModelKind.RERANK}


class LocalProvider(ModelProvider):
    """Raises ``EmbeddedPartMissingError`` and ``InvalidError`` for models it cannot host.

    ``threads`` is the number for each model that does not set its own.
    """

    def __init__(
        self,
        name: str,
        models: Sequence[ServedModel],
        *,
        clock: Clock,
        ids: IdGenerator,
        threads: int | None = None,
        queue_size: int = QUEUE_SIZE,
        load_timeout_s: float = LOAD_TIMEOUT_S,
    ) -> None:
        self.name = name
        self._clock = clock
        self._ids = ids
        self._workers = Workers()
        self._calls = EmbeddingCalls(self._workers)
        self._specs: dict[str, LocalModelSpec] = {}
        self._chat: dict[str, HostedModel[ChatEngine]] = {}
        self._embedding: dict[str, HostedModel[EmbeddingEngine]] = {}
        self._fingerprint = _fingerprint()
        for model in models:
            check_installed(model)
            spec = LocalModelSpec.of(model, threads=threads)
            self._specs[model.name] = spec
            host = partial(
                HostedModel,
                model.name,
                admission=Admission(model.name, slots=spec.slots, queue_size=queue_size),
                workers=self._workers,
                load_timeout_s=load_timeout_s,
            )
            if model.kind is ModelKind.CHAT:
                self._chat[model.name] = host(partial(load_chat, spec))
            else:
                self._embedding[model.name] = host(partial(load_embedding, spec))

    def status(self) -> dict[str, ModelStatus]:
        """The state of every model by name."""
        return {hosted_name: hosted.status for hosted_name, hosted in self._hosted().items()}

    async def start(self) -> None:
        for hosted in self._hosted().values():
            hosted.start()

    async def stop(self) -> None:
        deadline = time.monotonic() + STOP_TIMEOUT_S
        await asyncio.to_thread(self._workers.stop, STOP_TIMEOUT_S)
        for hosted in self._hosted().values():
            await hosted.stop(max(0.0, deadline - time.monotonic()))

    async def complete(self, request: ProviderRequest) -> ProviderAnswer:
        body = read_object(request.body)
        if request.operation in _OF_VECTORS:
            return await self._answer_by_vectors(request, body)
        generation, answer, tally, request_id = await self._prepared(request, body)
        pieces = []
        try:
            generation.begin()
            async for chunk in generation.chunks():
                tally.add(chunk)
                if (piece := read_piece(chunk)) is not None:
                    pieces.append(piece)
        finally:
            await generation.aclose()
        whole = answer.whole(pieces, tally.total())
        return ProviderAnswer(
            body=ENCODER.encode(whole),
            usage=tally.total(),
            finish_reason=whole["choices"][-1]["finish_reason"],
            provider_request_id=request_id,
        )

    async def open_stream(self, request: ProviderRequest) -> ProviderStream:
        body = read_object(request.body)
        generation, answer, tally, request_id = await self._prepared(request, body)
        stream = LocalStream(
            generation,
            answer,
            tally,
            request_id=request_id,
            include_usage=request.include_usage,
        )
        try:
            generation.begin()
            await generation.accepted(ACCEPT_TIMEOUT_S)
        except BaseException:
            await generation.aclose()
            raise
        return stream

    async def _prepared(
        self, request: ProviderRequest, body: Mapping[str, Any]
    ) -> tuple[Generation, Answer, UsageTally, str]:
        hosted = self._chat.get(request.model.name)
        if hosted is None or request.operation in _OF_VECTORS:
            raise self._not_here(request.model)
        defaults = self._specs[request.model.name].sampling
        answer: Answer
        if request.operation is Operation.CHAT:
            chat = read_chat(body, defaults)
            head = self._head("chatcmpl", request, body)
            answer = ChatAnswer(chat, head=head, new_call_id=self._new_call_id)
            calls: Sequence[GenerationCall] = chat.calls
        else:
            completion = read_completion(body, defaults)
            head = self._head("cmpl", request, body)
            answer = CompletionAnswer(completion, head=head)
            calls = completion.calls
        generation = Generation(
            calls,
            engine=await hosted.engine(),
            admission=hosted.admission,
            workers=self._workers,
        )
        tally = UsageTally(counts_prompt=[call.counts_prompt for call in calls])
        return generation, answer, tally, head["id"]

    async def _answer_by_vectors(
        self, request: ProviderRequest, body: Mapping[str, Any]
    ) -> ProviderAnswer:
        hosted = self._embedding.get(request.model.name)
        wanted = _OF_VECTORS[request.operation]
        if hosted is None or request.model.kind is not wanted:
            raise self._not_here(request.model)
        if request.operation is Operation.RERANK:
            return await self._calls.rank(hosted, request, f"rerank-{self._ids.new().hex}")
        return await self._calls.embed(hosted, body, _asked(request, body))

    def _hosted(self) -> dict[str, HostedModel[Any]]:
        return {**self._chat, **self._embedding}

    def _not_here(self, model: ServedModel) -> Exception:
        if model.name in self._specs:
            return WrongModelKindError(model.name, model.kind)
        return ProviderFailedError(f"The provider '{self.name}' has no model '{model.name}'.")

    def _head(self, kind: str, request: ProviderRequest, body: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": f"{kind}-{self._ids.new().hex}",
            "object": "",
            "created": int(self._clock.now().timestamp()),
            "model": _asked(request, body),
            "system_fingerprint": self._fingerprint,
        }

    def _new_call_id(self) -> str:
        return f"call_{self._ids.new().hex}"


def _asked(request: ProviderRequest, body: Mapping[str, Any]) -> str:
    """The name that the client used, which may be an alias."""
    asked = body.get("model")
    return asked if isinstance(asked, str) else request.model.name


def _fingerprint() -> str | None:
    try:
        return f"fp_xllamacpp-{version('xllamacpp')}"
    except PackageNotFoundError:
        return None
