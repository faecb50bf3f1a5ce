"""OpenAI's embeddings by way of Cohere's ``/v2/embed``."""

from collections.abc import Mapping

import msgspec

from adapters.dialects.counts import FloatCount
from adapters.providers.embedding_wire import EmbeddingWish
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.json_reading import NOT_JSON
from application.inference.ports import ProviderAnswer

# Members of Cohere's own that clients may send along.
OWN = ("input_type", "truncate")
# Cohere wants to know what for; whoever does not say so most likely fills an index.
USUAL_INPUT_TYPE = "search_document"


class _Billed(msgspec.Struct):
    input_tokens: FloatCount | None = None


class _Meta(msgspec.Struct):
    billed_units: _Billed | None = None


class _Vectors(msgspec.Struct):
    float: list[list[float]]


class _Embedded(msgspec.Struct):
    embeddings: _Vectors
    meta: _Meta | None = None


def embed_body(wish: EmbeddingWish, upstream_name: str, options: Mapping[str, object]) -> bytes:
    """``options`` are the deployment's, which hold where the client says nothing."""
    body = {
        "model": upstream_name,
        "texts": list(wish.texts),
        "input_type": wish.own.get("input_type") or options.get("input_type") or USUAL_INPUT_TYPE,
        "embedding_types": ["float"],
        "truncate": wish.own.get("truncate") or options.get("truncate"),
        "output_dimension": wish.dimensions,
    }
    return msgspec.json.encode({name: value for name, value in body.items() if value is not None})


def embed_answer(
    said: bytes, wish: EmbeddingWish, request_id: str | None, errors: ErrorMapping
) -> ProviderAnswer:
    try:
        embedded = msgspec.json.decode(said, type=_Embedded)
    except NOT_JSON as error:
        raise errors.no_answer("answered with something that is none of its answers") from error
    vectors = embedded.embeddings.float
    if len(vectors) != len(wish.texts):
        raise errors.no_answer("answered with another number of embeddings than was asked for")
    billed = embedded.meta.billed_units if embedded.meta else None
    tokens = billed.input_tokens if billed else None
    return wish.answer(vectors, None if tokens is None else int(tokens), request_id)
