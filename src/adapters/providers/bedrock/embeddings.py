"""Embeddings by ``InvokeModel``, whose bodies are those of the models' makers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON, unsupported
from adapters.providers.embedding_wire import EmbeddingWish
from application.inference.ports import ProviderAnswer
from domain.inference.conversation.request import JsonObject
from domain.shared.errors import StoaError

# Cohere's own members, which a client of OpenAI's may say too.
OWN = ("input_type",)
_TITAN, _COHERE = "titan-embed", "cohere.embed"
_COHERE_TEXTS = 96
_AT_A_TIME = 8


class _Titan(msgspec.Struct):
    embedding: list[float]


class _Typed(msgspec.Struct):
    float: list[list[float]]


class _Cohere(msgspec.Struct):
    embeddings: _Typed | list[list[float]]


@dataclass(frozen=True, slots=True)
class Invoked:
    """``tokens`` as Bedrock counted them in a header."""

    body: bytes
    tokens: int | None
    request_id: str | None


Invoke = Callable[[bytes], Awaitable[Invoked]]


async def embed(
    wish: EmbeddingWish, upstream_name: str, invoke: Invoke, failures: Failures
) -> ProviderAnswer:
    bodies, read = _bodies(wish, upstream_name)
    answers = await _all(bodies, invoke)
    vectors: list[list[float]] = []
    try:
        for answer in answers:
            vectors += read(answer.body)
    except NOT_JSON as error:
        raise failures.no_answer("answered with something that is no embeddings") from error
    if len(vectors) != len(wish.texts):
        raise failures.no_answer("answered with another number of embeddings")
    counts = [answer.tokens for answer in answers]
    known = [count for count in counts if count is not None]
    tokens = sum(known) if len(known) == len(counts) else None
    return wish.answer(vectors, tokens, answers[-1].request_id)


def _bodies(
    wish: EmbeddingWish, upstream_name: str
) -> tuple[list[bytes], Callable[[bytes], list[list[float]]]]:
    if _TITAN in upstream_name:
        return [_titan_body(wish, text) for text in wish.texts], _read_titan
    if _COHERE in upstream_name:
        starts = range(0, len(wish.texts), _COHERE_TEXTS)
        batches = [wish.texts[start : start + _COHERE_TEXTS] for start in starts]
        return [_cohere_body(wish, batch) for batch in batches], _read_cohere
    raise unsupported("model", "of Bedrock's embeddings, those of Titan and Cohere are known")


def _titan_body(wish: EmbeddingWish, text: str) -> bytes:
    if wish.own:
        raise unsupported(min(wish.own))
    body: JsonObject = {"inputText": text}
    if wish.dimensions is not None:
        body["dimensions"] = wish.dimensions
    return msgspec.json.encode(body)


def _cohere_body(wish: EmbeddingWish, texts: Sequence[str]) -> bytes:
    body: JsonObject = {
        "texts": texts,
        "input_type": wish.own.get("input_type", "search_document"),
        "embedding_types": ["float"],
    }
    if wish.dimensions is not None:
        body["output_dimension"] = wish.dimensions
    return msgspec.json.encode(body)


def _read_titan(body: bytes) -> list[list[float]]:
    return [msgspec.json.decode(body, type=_Titan).embedding]


def _read_cohere(body: bytes) -> list[list[float]]:
    said = msgspec.json.decode(body, type=_Cohere).embeddings
    return said.float if isinstance(said, _Typed) else said


async def _all(bodies: Sequence[bytes], invoke: Invoke) -> list[Invoked]:
    """One failure ends the others."""
    places = asyncio.Semaphore(_AT_A_TIME)

    async def one(body: bytes) -> Invoked:
        async with places:
            return await invoke(body)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(body)) for body in bodies]
    except ExceptionGroup as failed:
        first = failed.exceptions[0]
        if isinstance(first, StoaError):
            raise first from None
        raise
    return [task.result() for task in tasks]
