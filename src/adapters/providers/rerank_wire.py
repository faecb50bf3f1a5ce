"""Reranking in the shape of Cohere's and Jina's API, for providers that do not speak it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from adapters.providers.json_reading import NOT_JSON
from application.inference.ports import ProviderRequest
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage

Document = str | dict[str, Any]


class _Body(msgspec.Struct):
    query: str
    documents: list[Document]
    model: str = ""
    top_n: Annotated[int, msgspec.Meta(ge=1)] | None = None
    return_documents: bool | None = None
    rank_fields: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranking:
    """``texts`` are what stands in ``documents``, which may be objects with a text."""

    model: str
    query: str
    texts: tuple[str, ...]
    documents: tuple[Document, ...]
    top_n: int | None
    returns_documents: bool


def read_reranking(request: ProviderRequest) -> Reranking:
    """Raises ``InvalidError``, and ``UnsupportedByModelError`` for documents without text."""
    try:
        body = msgspec.json.decode(request.body, type=_Body)
    except NOT_JSON as error:
        raise InvalidError(f"The request is malformed: {error}") from error
    if body.rank_fields not in (None, ["text"]):
        raise UnsupportedByModelError(
            "This model ranks documents by their 'text' alone.", param="rank_fields"
        )
    return Reranking(
        model=body.model or request.model.name,
        query=body.query,
        texts=tuple(_text(document, index) for index, document in enumerate(body.documents)),
        documents=tuple(body.documents),
        top_n=body.top_n,
        returns_documents=bool(body.return_documents),
    )


def write_ranking(
    asked: Reranking, scores: Sequence[float], *, usage: Usage, answer_id: str
) -> bytes:
    """``scores`` are those of the documents in the order of the request."""
    ranked = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    results = [_result(asked, index, scores[index]) for index in ranked[: asked.top_n]]
    return msgspec.json.encode(
        {
            "id": answer_id,
            "object": "list",
            "model": asked.model,
            "results": results,
            "usage": {"prompt_tokens": usage.prompt_tokens, "total_tokens": usage.prompt_tokens},
        }
    )


def _result(asked: Reranking, index: int, score: float) -> dict[str, Any]:
    result: dict[str, Any] = {"index": index, "relevance_score": score}
    if asked.returns_documents:
        document = asked.documents[index]
        result["document"] = {"text": document} if isinstance(document, str) else document
    return result


def _text(document: Document, index: int) -> str:
    text = document if isinstance(document, str) else document.get("text")
    if not isinstance(text, str):
        path = f"documents[{index}]"
        raise UnsupportedByModelError(
            f"'{path}' has no 'text', and this model reads nothing else.", param=path
        )
    return text
