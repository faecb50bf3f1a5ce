"""Cohere's embeddings and rerankings, against a real server."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.providers.cohere.configuration import CohereProviderDefinition
from adapters.providers.http_configuration import HttpConfiguration
from application.inference.ports import ModelProvider, Operation, ProviderRequest
from domain.inference.errors import (
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRejectedError,
    UnsupportedByModelError,
)
from domain.models.prices import Prices
from domain.shared.errors import StoaError
from domain.shared.usage import Usage
from tests.fakes.openai_like_bench import surroundings
from tests.fakes.openai_wire import UPSTREAM_NAME, a_model, a_request
from tests.fakes.upstream import Upstream, json_answer, running_upstream

SECRET = "canary-0123456789"
EMBEDDED = {
    "id": "e-1",
    "embeddings": {"float": [[0.6, 0.8], [1.0, 0.0]]},
    "texts": ["a", "b"],
    "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 4}},
}
RANKED = {
    "id": "r-1",
    "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.2}],
    "meta": {"billed_units": {"search_units": 1}},
}


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as server:
        yield server


@pytest.fixture
async def provider(upstream: Upstream) -> AsyncIterator[ModelProvider]:
    http = HttpConfiguration(base_url=upstream.origin, api_key=SECRET)
    built = CohereProviderDefinition(name="acme", http=http).build((), surroundings())
    yield built
    await built.stop()


def an_embedding(options: dict[str, Any] | None = None, **fields: Any) -> ProviderRequest:
    body = {"input": ["a", "b"]} | fields
    return a_request(a_model(**options or {}), operation=Operation.EMBEDDING, **body)


def a_ranking(**fields: Any) -> ProviderRequest:
    body = {"query": "q", "documents": ["a", {"text": "b"}]} | fields
    return a_request(operation=Operation.RERANK, **body)


async def test_embeddings_come_in_the_shape_of_openai(
    upstream: Upstream, provider: ModelProvider
) -> None:
    upstream.play(json_answer(msgspec.json.encode(EMBEDDED)))

    answer = await provider.complete(an_embedding(dimensions=256))

    seen = upstream.requests[0]
    assert seen.target == "/v2/embed"
    assert seen.headers["authorization"] == f"Bearer {SECRET}"
    assert seen.json == {
        "model": UPSTREAM_NAME,
        "texts": ["a", "b"],
        "input_type": "search_document",
        "embedding_types": ["float"],
        "output_dimension": 256,
    }
    told = json.loads(answer.body)
    assert told["model"] == "large"
    assert [one["embedding"] for one in told["data"]] == [[0.6, 0.8], [1.0, 0.0]]
    assert answer.usage == Usage(prompt_tokens=4)


@pytest.mark.parametrize(
    ("options", "fields", "expected"),
    [
        ({"input_type": "search_query"}, {}, "search_query"),
        ({"input_type": "search_query"}, {"input_type": "clustering"}, "clustering"),
    ],
)
async def test_what_embeddings_are_for_can_be_said(
    upstream: Upstream,
    provider: ModelProvider,
    options: dict[str, Any],
    fields: dict[str, Any],
    expected: str,
) -> None:
    upstream.play(json_answer(msgspec.json.encode(EMBEDDED)))

    await provider.complete(an_embedding(options, **fields))

    assert upstream.requests[0].json["input_type"] == expected


async def test_documents_are_ranked(upstream: Upstream, provider: ModelProvider) -> None:
    upstream.play(json_answer(msgspec.json.encode(RANKED)))

    answer = await provider.complete(
        a_ranking(top_n=2, return_documents=True, max_tokens_per_doc=100)
    )

    assert upstream.requests[0].target == "/v2/rerank"
    assert upstream.requests[0].json == {
        "model": UPSTREAM_NAME,
        "query": "q",
        "documents": ["a", "b"],
        "top_n": 2,
        "max_tokens_per_doc": 100,
    }
    told = json.loads(answer.body)
    assert told["results"] == [
        {"index": 1, "relevance_score": 0.9, "document": {"text": "b"}},
        {"index": 0, "relevance_score": 0.2, "document": {"text": "a"}},
    ]
    assert told["meta"] == RANKED["meta"]
    assert answer.usage == Usage(prompt_tokens=3, searches=1, counted=True)
    assert answer.provider_request_id == "r-1"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"documents": ["a", {"image": "x"}]}, "documents[1]"),
        ({"rank_fields": ["title"]}, "rank_fields"),
        ({"overlap_tokens": 3}, "overlap_tokens"),
    ],
)
async def test_what_cohere_does_not_rank_by_is_refused_by_name(
    provider: ModelProvider, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(UnsupportedByModelError) as caught:
        await provider.complete(a_ranking(**fields))

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, ProviderRejectedError), (401, ProviderCredentialsError), (500, ProviderFailedError)],
)
async def test_failures_have_their_kind_and_never_show_the_key(
    upstream: Upstream, provider: ModelProvider, status: int, kind: type[StoaError]
) -> None:
    body = msgspec.json.encode({"id": "x", "message": f"invalid: {SECRET}"})
    upstream.play(json_answer(body, status=status))

    with pytest.raises(kind) as caught:
        await provider.complete(a_ranking())

    assert SECRET not in f"{caught.value} {getattr(caught.value, '__notes__', [])}"


@pytest.mark.parametrize(
    "body",
    [b"[]", b'{"results":[{"index":7,"relevance_score":1}]}', b'{"results":null}'],
)
async def test_what_ranks_nothing_that_was_asked_has_failed(
    upstream: Upstream, provider: ModelProvider, body: bytes
) -> None:
    upstream.play(json_answer(body))

    with pytest.raises(ProviderFailedError):
        await provider.complete(a_ranking())


@pytest.mark.parametrize(
    ("meta", "searches"),
    [
        ({"billed_units": {"search_units": 3}}, 3),
        ({"billed_units": {"search_units": 1.5}}, 2),
        ({"billed_units": {"search_units": -4}}, 1),
        ({"billed_units": {"search_units": "many"}}, 1),
        ({"billed_units": None}, 1),
        (None, 1),
    ],
)
async def test_a_ranking_costs_as_many_searches_as_are_billed(
    upstream: Upstream, provider: ModelProvider, meta: Any, searches: int
) -> None:
    body = {"results": [{"index": 0, "relevance_score": 0.5}], "meta": meta}
    upstream.play(json_answer(msgspec.json.encode(body)))

    answer = await provider.complete(a_ranking())

    prices = Prices(input=Decimal(0), output=Decimal(0), request=Decimal("0.002"))
    assert answer.usage.searches == searches
    assert prices.cost(answer.usage) == Decimal("0.002") * searches


async def test_searches_are_counted_where_they_are_not_told(
    upstream: Upstream, provider: ModelProvider
) -> None:
    """A search is of 100 documents, and a long one is several."""
    body = {"results": [{"index": 0, "relevance_score": 0.5}]}
    upstream.play(json_answer(msgspec.json.encode(body)))
    upstream.play(json_answer(msgspec.json.encode(body)))

    many = await provider.complete(a_ranking(documents=["a"] * 201))
    long = await provider.complete(a_ranking(documents=["a" * 4_000] * 60))

    assert (many.usage.searches, long.usage.searches) == (3, 2)


async def test_fewer_embeddings_than_texts_are_no_answer(
    upstream: Upstream, provider: ModelProvider
) -> None:
    upstream.play(json_answer(msgspec.json.encode(EMBEDDED)))

    with pytest.raises(ProviderFailedError, match="another number"):
        await provider.complete(an_embedding(input="a"))


async def test_other_operations_are_refused(provider: ModelProvider) -> None:
    with pytest.raises(UnsupportedByModelError, match="Cohere has no 'moderations'"):
        await provider.complete(a_request(operation=Operation.MODERATION, input="x"))
