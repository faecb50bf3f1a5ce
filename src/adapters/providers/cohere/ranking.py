"""``/v2/rerank``, which is nearly what Stoa's own door speaks."""

import math

import msgspec

from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.http_generation import tokens_in
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.rerank_wire import Reranking, write_results
from application.inference.ports import ProviderAnswer
from domain.shared.usage import Usage

_MOST_UNITS = 1e9
OWN = ("max_tokens_per_doc", "priority")


class _Result(msgspec.Struct):
    index: int
    relevance_score: float


class _Billed(msgspec.Struct):
    search_units: float = 0


class _Meta(msgspec.Struct):
    billed_units: _Billed | None = None


class _Ranked(msgspec.Struct):
    results: list[_Result]
    id: str = ""
    meta: msgspec.Raw = msgspec.Raw(b"null")


def rank_body(asked: Reranking, upstream_name: str) -> bytes:
    body: dict[str, object] = {
        "model": upstream_name,
        "query": asked.query,
        "documents": list(asked.texts),
    }
    if asked.top_n is not None:
        body["top_n"] = asked.top_n
    return msgspec.json.encode(body | asked.own)


def rank_answer(
    said: bytes, asked: Reranking, request_id: str | None, errors: ErrorMapping
) -> ProviderAnswer:
    """Cohere bills searches; the tokens are counted, for those who limit them."""
    try:
        ranked = msgspec.json.decode(said, type=_Ranked)
    except NOT_JSON as error:
        raise errors.no_answer("answered with something that is none of its answers") from error
    if any(not 0 <= result.index < len(asked.texts) for result in ranked.results):
        raise errors.no_answer("ranked documents that it was not asked for")
    read = (asked.query, *asked.texts)
    usage = Usage(
        prompt_tokens=sum(tokens_in(len(t.encode())) for t in read),
        searches=_searches(ranked.meta),
        counted=True,
    )
    return ProviderAnswer(
        body=write_results(
            asked,
            [(result.index, result.relevance_score) for result in ranked.results],
            usage=usage,
            answer_id=ranked.id,
            meta=ranked.meta,
        ),
        usage=usage,
        provider_request_id=request_id or ranked.id or None,
    )


def _searches(meta: msgspec.Raw) -> int:
    try:
        said = msgspec.json.decode(meta, type=_Meta | None)
    except NOT_JSON:
        # The ranking is sound, whatever is meant by that.
        return 0
    units = said.billed_units.search_units if said is not None and said.billed_units else 0
    return math.ceil(units) if 0 < units < _MOST_UNITS else 0
