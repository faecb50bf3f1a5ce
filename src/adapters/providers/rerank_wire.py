"""Reranking in the shape of Cohere's and Jina's API, for providers that do not speak it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.dialects.fields import Fields, unsupported
from application.inference.ports import ProviderRequest
from domain.shared.usage import Usage

Document = str | dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranking:
    """``texts`` are what stands in ``documents``, which may be objects with a text."""

    model: str
    query: str
    texts: tuple[str, ...]
    documents: tuple[Document, ...]
    top_n: int | None
    returns_documents: bool
    own: dict[str, int]


def read_reranking(request: ProviderRequest, *own: str) -> Reranking:
    """``own`` are the numbers that a provider knows besides. Raises ``InvalidError``, and
    ``UnsupportedByModelError`` for documents without text and members that nobody knows."""
    fields = Fields.of(request.body)
    documents = fields.list("documents") or []
    if fields.raw("rank_fields") not in (None, ["text"]):
        raise unsupported("rank_fields", "documents are ranked by their 'text' alone")
    asked = Reranking(
        model=fields.text("model") or request.model.name,
        query=fields.needed("query"),
        texts=tuple(_text(document, index) for index, document in enumerate(documents)),
        documents=tuple(documents),
        top_n=fields.integer("top_n"),
        returns_documents=bool(fields.flag("return_documents")),
        own={name: number for name in own if (number := fields.integer(name)) is not None},
    )
    fields.end("user", "stream")
    return asked


def write_ranking(
    asked: Reranking, scores: Sequence[float], *, usage: Usage, answer_id: str
) -> bytes:
    """``scores`` are those of the documents in the order of the request."""
    ranked = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    results = [(index, scores[index]) for index in ranked[: asked.top_n]]
    return write_results(asked, results, usage=usage, answer_id=answer_id)


def write_results(
    asked: Reranking,
    results: Sequence[tuple[int, float]],
    *,
    usage: Usage,
    answer_id: str,
    meta: msgspec.Raw | None = None,
) -> bytes:
    """``results`` are documents with their scores, the best first; ``meta`` is what the provider
    says besides."""
    count = usage.prompt_tokens
    answer: dict[str, Any] = {
        "id": answer_id,
        "object": "list",
        "model": asked.model,
        "results": [_result(asked, index, score) for index, score in results],
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }
    if meta is not None:
        answer["meta"] = meta
    return msgspec.json.encode(answer)


def _result(asked: Reranking, index: int, score: float) -> dict[str, Any]:
    result: dict[str, Any] = {"index": index, "relevance_score": score}
    if asked.returns_documents:
        document = asked.documents[index]
        result["document"] = {"text": document} if isinstance(document, str) else document
    return result


def _text(document: Any, index: int) -> str:
    text = document.get("text") if isinstance(document, dict) else document
    if not isinstance(text, str):
        raise unsupported(f"documents[{index}]", "it has no 'text', and nothing else is read")
    return text
