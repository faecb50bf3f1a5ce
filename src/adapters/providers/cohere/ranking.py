"""``/v2/rerank``, which is nearly what Stoa's own door speaks."""

import msgspec

from adapters.providers.billed_searches import searches_in
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.http_generation import tokens_in
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.rerank_wire import Reranking, write_results
from application.inference.ports import ProviderAnswer
from domain.shared.usage import Usage

_DOCUMENTS_OF_A_SEARCH = 100
_TOKENS_OF_A_DOCUMENT = 500
OWN = ("max_tokens_per_doc", "priority")


class _Result(msgspec.Struct):
    index: int
    relevance_score: float


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
    """Cohere bills searches; the tokens are counted, for those who limit them, and so are the
    searches where the answer does not say how many they were."""
    try:
        ranked = msgspec.json.decode(said, type=_Ranked)
    except NOT_JSON as error:
        raise errors.no_answer("answered with something that is none of its answers") from error
    if any(not 0 <= result.index < len(asked.texts) for result in ranked.results):
        raise errors.no_answer("ranked documents that it was not asked for")
    of_query, *sizes = (tokens_in(len(t.encode())) for t in (asked.query, *asked.texts))
    searches = searches_in(ranked.meta)
    usage = Usage(
        prompt_tokens=of_query + sum(sizes),
        searches=_counted(sizes, of_query) if searches is None else searches,
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


def _counted(sizes: list[int], of_query: int) -> int:
    """What Cohere bills as one search: a query with so many documents, of which a long one counts
    as several. ``sizes`` are in tokens."""
    documents = sum(max(1, -(-(size + of_query) // _TOKENS_OF_A_DOCUMENT)) for size in sizes)
    return -(-documents // _DOCUMENTS_OF_A_SEARCH)
