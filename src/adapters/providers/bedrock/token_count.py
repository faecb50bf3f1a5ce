"""How many tokens a message of Anthropic's has for a model at Bedrock."""

import re

import msgspec

from adapters.dialects.bedrock.dialect import BedrockDialect
from adapters.dialects.counts import Count
from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON
from adapters.providers.translation.tool_names import plainly_named
from application.inference.ports import ProviderAnswer
from domain.inference.conversation.request import GenerationRequest, JsonObject
from domain.models.served_model import ServedModel
from domain.shared.usage import Usage

# What has tokens; how an answer is made has none.
_COUNTED = ("messages", "system", "toolConfig")
# Calls may go to a profile for a part of the world, but tokens are counted by models alone.
_PROFILE = re.compile(r"(?:us-gov|us|eu|apac|jp|au|ca|sa|global)\.(?=[a-z0-9-]+\.)")


class _Count(msgspec.Struct, rename="camel"):
    input_tokens: Count


def counted_model(model: ServedModel) -> str:
    name = model.upstream_name
    return name[found.end() :] if (found := _PROFILE.match(name)) else name


def count_body(request: GenerationRequest, model: ServedModel, dialect: BedrockDialect) -> bytes:
    written: JsonObject = msgspec.json.decode(dialect.write_request(plainly_named(request), model))
    counted = {name: written[name] for name in _COUNTED if name in written}
    return msgspec.json.encode({"input": {"converse": counted}})


def read_count(body: bytes, failures: Failures) -> int:
    try:
        return msgspec.json.decode(body, type=_Count).input_tokens
    except NOT_JSON as error:
        raise failures.no_answer("answered with something that is no count") from error


def count_answer(tokens: int, request_id: str | None = None) -> ProviderAnswer:
    return ProviderAnswer(
        body=msgspec.json.encode({"input_tokens": tokens}),
        usage=Usage(),
        provider_request_id=request_id,
    )
