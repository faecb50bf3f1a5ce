"""OpenAI's embeddings by way of Ollama's ``/api/embed``."""

from typing import Annotated

import msgspec

from adapters.dialects.counts import MOST
from adapters.providers.embedding_wire import EmbeddingWish
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.json_reading import NOT_JSON
from application.inference.ports import ProviderAnswer


class _Embedded(msgspec.Struct):
    embeddings: list[list[float]] | None = None
    prompt_eval_count: Annotated[int, msgspec.Meta(ge=0, le=MOST)] | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


def embed_body(
    wish: EmbeddingWish, upstream_name: str, *, options: object, keep_alive: object
) -> bytes:
    found = {
        "dimensions": wish.dimensions,
        "options": options or None,
        "keep_alive": keep_alive,
    }
    # Silently leaving out the end of a text would give the vector of another one.
    body = {"model": upstream_name, "input": list(wish.texts), "truncate": False}
    return msgspec.json.encode(
        body | {name: value for name, value in found.items() if value is not None}
    )


def embed_answer(
    said: bytes, wish: EmbeddingWish, request_id: str | None, errors: ErrorMapping
) -> ProviderAnswer:
    try:
        embedded = msgspec.json.decode(said, type=_Embedded)
    except NOT_JSON as error:
        raise errors.no_answer("answered with something that is none of its answers") from error
    if bytes(embedded.error) != b"null":
        raise errors.of_body(said)
    vectors = embedded.embeddings
    if vectors is None or len(vectors) != len(wish.texts):
        raise errors.no_answer("answered with another number of embeddings than was asked for")
    return wish.answer(vectors, embedded.prompt_eval_count, request_id)
