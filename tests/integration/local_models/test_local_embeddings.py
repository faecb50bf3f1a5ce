import asyncio
import base64
import json
import math
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.providers.local.embedded_weights import EMBEDDED
from adapters.providers.local.provider import LocalProvider
from application.inference.ports import Operation, ProviderRequest
from domain.inference.errors import ContextLengthExceededError, UnsupportedByModelError
from domain.models.errors import WrongModelKindError
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.errors import InvalidError
from tests.fakes.local_models import MINILM, SMOLLM2, embedding_request, local_provider

pytestmark = pytest.mark.local_model

TEXTS = [
    "The cat sits on the mat.",
    "A feline rests upon a rug.",
    "Quarterly revenue grew by 12 % on strong cloud demand.",
]
# The first eight numbers of each vector, from another implementation (candle, float32).
BEGINNINGS = [
    [0.134177, -0.0329, -0.024804, 0.041439, -0.036348, 0.041814, 0.031217, 0.037202],
    [0.075804, 0.024783, 0.036869, 0.115968, -0.047693, 0.065733, 0.024609, 0.004398],
    [0.017028, -0.036615, 0.007605, -0.046607, 0.035261, -0.015217, -0.022852, 0.003396],
]
COSINES = {(0, 1): 0.5448376, (0, 2): 0.0384957, (1, 2): 0.0336231}


async def embed(provider: LocalProvider, **body: Any) -> dict[str, Any]:
    answer = await provider.complete(embedding_request(**body))
    decoded: dict[str, Any] = json.loads(answer.body)
    return decoded


def cosine(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def test_gives_the_reference_vectors(provider: LocalProvider) -> None:
    body = await embed(provider, input=TEXTS)

    vectors = [row["embedding"] for row in body["data"]]
    assert [row["index"] for row in body["data"]] == [0, 1, 2]
    assert {len(vector) for vector in vectors} == {384}
    for vector, beginning in zip(vectors, BEGINNINGS, strict=True):
        assert vector[:8] == pytest.approx(beginning, abs=2e-6)
        assert math.hypot(*vector) == pytest.approx(1, abs=1e-5)
    for (left, right), expected in COSINES.items():
        assert cosine(vectors[left], vectors[right]) == pytest.approx(expected, abs=1e-5)


async def test_a_text_has_the_same_vector_alone_and_in_company(provider: LocalProvider) -> None:
    alone = (await embed(provider, input=TEXTS[0]))["data"][0]["embedding"]
    # More than is worked through at once.
    crowd = (await embed(provider, input=[*["filler " * 100] * 12, TEXTS[0]]))["data"]

    assert len(crowd) == 13
    assert crowd[-1]["embedding"] == pytest.approx(alone, abs=1e-5)


async def test_base64_is_little_endian_float32(provider: LocalProvider) -> None:
    plain = await embed(provider, input=TEXTS[0])
    coded = await embed(provider, input=TEXTS[0], encoding_format="base64")

    numbers = struct.unpack("<384f", base64.b64decode(coded["data"][0]["embedding"]))
    assert list(numbers) == pytest.approx(plain["data"][0]["embedding"])


async def test_takes_token_ids_with_or_without_their_frame(provider: LocalProvider) -> None:
    text = await embed(provider, input="hello world")
    bare = await embed(provider, input=[7592, 2088])
    framed = await embed(provider, input=[[101, 7592, 2088, 102]])

    assert bare["data"][0]["embedding"] == text["data"][0]["embedding"]
    assert framed == bare
    assert text["usage"] == {"prompt_tokens": 4, "total_tokens": 4}


@pytest.mark.parametrize("dimensions", [384, None])
async def test_takes_its_own_dimensions(provider: LocalProvider, dimensions: int | None) -> None:
    body = await embed(provider, input="a", dimensions=dimensions)

    assert len(body["data"][0]["embedding"]) == 384


async def test_refuses_other_dimensions(provider: LocalProvider) -> None:
    with pytest.raises(UnsupportedByModelError) as raised:
        await embed(provider, input="a", dimensions=256)

    assert raised.value.param == "dimensions"


@pytest.mark.parametrize(
    "value",
    [[], "", ["a", ""], {"a": 1}, [[99_999_999]], [[]], None, ["a"] * 2049],
    ids=["no text", "empty", "one empty", "object", "bad token", "no token", "null", "too many"],
)
async def test_refuses_input_that_is_none(provider: LocalProvider, value: object) -> None:
    with pytest.raises(InvalidError) as raised:
        await embed(provider, input=value)

    assert raised.value.param == "input"


async def test_refuses_an_input_that_does_not_fit(provider: LocalProvider) -> None:
    with pytest.raises(ContextLengthExceededError, match="512 tokens"):
        await embed(provider, input=["short", "word " * 511])

    assert (await embed(provider, input="word " * 510))["usage"]["prompt_tokens"] == 512


@pytest.mark.parametrize("value", ["word " * 1_000_000, [1] * 1_000_000], ids=["text", "tokens"])
async def test_does_not_work_through_an_input_that_cannot_fit(
    provider: LocalProvider, value: object
) -> None:
    began = time.monotonic()

    with pytest.raises(ContextLengthExceededError, match="512 tokens"):
        await embed(provider, input=value)

    assert time.monotonic() - began < 60


async def test_stops_reading_inputs_that_nobody_waits_for(provider: LocalProvider) -> None:
    waiting = asyncio.create_task(embed(provider, input=["word " * 500] * 2000))
    await asyncio.sleep(0.1)
    began = time.monotonic()

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert time.monotonic() - began < 30


async def test_a_chat_model_does_not_embed(provider: LocalProvider) -> None:
    with pytest.raises(WrongModelKindError):
        await provider.complete(embedding_request(SMOLLM2, input="a"))


async def test_runs_any_embedding_model_in_gguf() -> None:
    file = EMBEDDED["embedded:smollm2-135m"].path()
    model = ServedModel(
        name="pooled",
        kind=ModelKind.EMBEDDING,
        provider="local",
        upstream_name=str(file),
        context_length=128,
        options={"pooling": "mean"},
    )
    provider = local_provider(model)
    await provider.start()
    try:
        body = json.loads((await provider.complete(embedding_request(model, input=TEXTS * 2))).body)
        with pytest.raises(ContextLengthExceededError, match="128 tokens"):
            await provider.complete(embedding_request(model, input="hello " * 200))
        with pytest.raises(UnsupportedByModelError):
            await provider.complete(embedding_request(model, input="a", dimensions=8))
    finally:
        await provider.stop()

    vectors = [row["embedding"] for row in body["data"]]
    assert [len(vector) for vector in vectors] == [576] * 6
    assert vectors[0] == pytest.approx(vectors[3], abs=1e-3)
    assert cosine(vectors[0], vectors[1]) > cosine(vectors[0], vectors[2])


RANKER = replace(MINILM, name="ranker", kind=ModelKind.RERANK)


@pytest.fixture
async def ranking_provider() -> AsyncIterator[LocalProvider]:
    ranker = local_provider(RANKER)
    await ranker.start()
    yield ranker
    await ranker.stop()


def a_ranking(**fields: Any) -> ProviderRequest:
    body = {"model": "ranker", "query": "Where does the cat sit?", "documents": TEXTS} | fields
    return ProviderRequest(
        operation=Operation.RERANK,
        model=RANKER,
        body=json.dumps(body).encode(),
        correlation_id="c-1",
    )


async def test_documents_are_ranked_by_their_meaning(ranking_provider: LocalProvider) -> None:
    answer = await ranking_provider.complete(a_ranking(documents=TEXTS[::-1], top_n=2))

    ranked = json.loads(answer.body)["results"]
    assert [one["index"] for one in ranked] == [2, 1]
    assert 1 >= ranked[0]["relevance_score"] > ranked[1]["relevance_score"] > 0
    assert answer.usage.prompt_tokens > 10


async def test_a_document_that_is_too_long_to_rank_is_refused(
    ranking_provider: LocalProvider,
) -> None:
    with pytest.raises(ContextLengthExceededError) as caught:
        await ranking_provider.complete(a_ranking(documents=["word " * 3000]))

    assert caught.value.param == "documents"


async def test_a_model_that_ranks_does_not_embed(ranking_provider: LocalProvider) -> None:
    request = replace(a_ranking(), operation=Operation.EMBEDDING)

    with pytest.raises(WrongModelKindError):
        await ranking_provider.complete(request)
