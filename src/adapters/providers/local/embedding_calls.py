import threading
from array import array
from collections.abc import Mapping, Sequence
from functools import partial
from math import sqrt
from operator import mul
from typing import Any

from adapters.providers.local.embeddings import embedding_answer, read_embedding
from adapters.providers.local.engine import Embedded, EmbeddingEngine, EmbeddingInput
from adapters.providers.local.hosted_model import HostedModel
from adapters.providers.local.local_stream import ENCODER
from adapters.providers.local.workers import Workers
from adapters.providers.rerank_wire import read_reranking, write_ranking
from application.inference.ports import ProviderAnswer, ProviderRequest
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage

MAX_DOCUMENTS = 2048


class EmbeddingCalls:
    """What models that embed are asked for: vectors, and rankings by their likeness."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def embed(
        self, hosted: HostedModel[EmbeddingEngine], body: Mapping[str, Any], asked: str
    ) -> ProviderAnswer:
        engine = await hosted.engine()
        plan = read_embedding(body, engine.dimensions)
        vectors, tokens = await self._vectors(hosted, engine, plan.inputs)
        answer = embedding_answer(vectors, tokens, model=asked, as_base64=plan.as_base64)
        return ProviderAnswer(body=ENCODER.encode(answer), usage=Usage(prompt_tokens=tokens))

    async def rank(
        self, hosted: HostedModel[EmbeddingEngine], request: ProviderRequest, answer_id: str
    ) -> ProviderAnswer:
        """Scores are the cosine of query and document: the likeness of their meanings, which is
        less than what a model that reads both together can tell."""
        asked = read_reranking(request)
        if len(asked.texts) > MAX_DOCUMENTS:
            raise InvalidError(
                f"Invalid 'documents': expected an array of at most {MAX_DOCUMENTS}.",
                param="documents",
            )
        engine = await hosted.engine()
        try:
            vectors, tokens = await self._vectors(hosted, engine, [asked.query, *asked.texts])
        except InvalidError as error:
            # It speaks of the input of an embedding.
            error.param = "documents"
            raise
        scores = await self._workers.call(lambda _: _cosines(vectors), name="rank")
        usage = Usage(prompt_tokens=tokens)
        body = write_ranking(asked, scores, usage=usage, answer_id=answer_id)
        return ProviderAnswer(body=body, usage=usage)

    async def _vectors(
        self,
        hosted: HostedModel[EmbeddingEngine],
        engine: EmbeddingEngine,
        inputs: Sequence[EmbeddingInput],
    ) -> tuple[list[bytes], int]:
        hosted.admission.check()
        # The model is given back after every portion, so that a large request does not keep small
        # ones waiting.
        async with hosted.admission.turn():
            batches = await self._workers.call(
                lambda abort: engine.batches(inputs, abort.is_set), name="tokenize"
            )
        vectors: list[bytes] = []
        tokens = 0
        for batch in batches:
            async with hosted.admission.turn():
                done = await self._workers.call(partial(_embed, engine, batch), name="embed")
            vectors += done.vectors
            tokens += done.tokens
        return vectors, tokens


def _embed(
    engine: EmbeddingEngine, batch: Sequence[EmbeddingInput], _: threading.Event
) -> Embedded:
    return engine.embed(batch)


def _cosines(vectors: Sequence[bytes]) -> list[float]:
    """Those of the first vector with all others."""
    query, *documents = (array("f", vector) for vector in vectors)
    return [_cosine(query, document) for document in documents]


def _cosine(one: "array[float]", other: "array[float]") -> float:
    lengths = sqrt(sum(map(mul, one, one)) * sum(map(mul, other, other)))
    return sum(map(mul, one, other)) / lengths if lengths else 0.0
