import msgspec

from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON
from adapters.providers.embedding_wire import EmbeddingWish
from adapters.providers.google.paths import resource
from application.inference.ports import ProviderAnswer
from domain.inference.conversation.request import JsonObject

# Google's own members, which a client of OpenAI's may say too.
OWN = ("task_type", "title")


class _Embedding(msgspec.Struct):
    values: list[float]


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None


class _Answer(msgspec.Struct, rename="camel"):
    embeddings: list[_Embedding]
    usage_metadata: _Usage = msgspec.field(default_factory=_Usage)


_decoder = msgspec.json.Decoder(_Answer)


def batch_body(wish: EmbeddingWish, upstream_name: str) -> bytes:
    """``batchEmbedContents``, also for one text."""
    each: JsonObject = {"model": resource(upstream_name)}
    if wish.dimensions is not None:
        each["outputDimensionality"] = wish.dimensions
    for member, name in (("taskType", "task_type"), ("title", "title")):
        if name in wish.own:
            each[member] = wish.own[name]
    requests = [each | {"content": {"parts": [{"text": text}]}} for text in wish.texts]
    return msgspec.json.encode({"requests": requests})


def batch_answer(
    wish: EmbeddingWish, body: bytes, request_id: str | None, failures: Failures
) -> ProviderAnswer:
    try:
        said = _decoder.decode(body)
    except NOT_JSON as error:
        raise failures.no_answer("answered with something that is no embeddings") from error
    vectors = [one.values for one in said.embeddings]
    if len(vectors) != len(wish.texts):
        raise failures.no_answer("answered with another number of embeddings")
    return wish.answer(vectors, said.usage_metadata.prompt_token_count, request_id)
