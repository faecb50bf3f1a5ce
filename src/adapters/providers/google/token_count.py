"""How many tokens a message of Anthropic's has for a model of Google's."""

import msgspec

from adapters.dialects.counts import Count
from adapters.dialects.dialects import DIALECTS
from adapters.dialects.failures import Failures
from adapters.dialects.fields import NOT_JSON
from adapters.dialects.google.dialect import GoogleDialect
from adapters.providers.google.paths import resource
from adapters.providers.translation.tool_names import plainly_named
from application.inference.ports import Operation, ProviderAnswer, ProviderRequest
from domain.inference.conversation.request import JsonObject
from domain.shared.usage import Usage

# What has tokens; how an answer is made has none.
_COUNTED = ("contents", "systemInstruction", "tools")


class _Count(msgspec.Struct, rename="camel"):
    total_tokens: Count


def count_body(request: ProviderRequest, dialect: GoogleDialect) -> bytes:
    asked = plainly_named(DIALECTS[Operation.MESSAGES].read_request(request.body))
    written: JsonObject = msgspec.json.decode(dialect.write_request(asked, request.model))
    counted = {name: written[name] for name in _COUNTED if name in written}
    whole = {"model": resource(request.model.upstream_name)} | counted
    return msgspec.json.encode({"generateContentRequest": whole})


def count_answer(body: bytes, request_id: str | None, failures: Failures) -> ProviderAnswer:
    try:
        count = msgspec.json.decode(body, type=_Count)
    except NOT_JSON as error:
        raise failures.no_answer("answered with something that is no count") from error
    return ProviderAnswer(
        body=msgspec.json.encode({"input_tokens": count.total_tokens}),
        usage=Usage(),
        provider_request_id=request_id,
    )
