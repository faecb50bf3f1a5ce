"""The few members of Anthropic's answers that the gateway itself reads."""

import msgspec

from adapters.dialects.anthropic.usage import read_usage
from adapters.dialects.anthropic.words import stop_of
from adapters.dialects.openai_chat.words import FINISH_REASONS
from adapters.dialects.usage import usage_of
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.answer import under_public_name
from adapters.providers.openai_compatible.request import UpstreamBody, tokens_in
from application.inference.ports import Operation, ProviderAnswer, ProviderRequest
from domain.shared.usage import Usage

_NULL = msgspec.Raw(b"null")


class _Answer(msgspec.Struct):
    type: str | None = None
    content: msgspec.Raw = _NULL
    usage: msgspec.Raw = _NULL
    stop_reason: str | None = None
    input_tokens: int | None = None


_decoder = msgspec.json.Decoder(_Answer)


def finish_reason_of(stop_reason: str | None) -> str | None:
    """In OpenAI's words, which the ledger has for all providers."""
    return None if stop_reason is None else FINISH_REASONS[stop_of(stop_reason)]


def whole_answer(
    body: bytes,
    request: ProviderRequest,
    sent: UpstreamBody,
    request_id: str | None,
    errors: ErrorMapping,
) -> ProviderAnswer:
    """The provider's body as it came, under the name that the client asked for."""
    try:
        answer = _decoder.decode(body)
    except NOT_JSON as error:
        raise errors.no_answer("answered with something that is no message") from error
    if answer.type == "error":
        raise errors.of_body(body)
    if request.operation is Operation.COUNT_TOKENS:
        if answer.input_tokens is None:
            raise errors.no_answer("did not say how many tokens there are")
        return ProviderAnswer(body=body, usage=Usage(), provider_request_id=request_id)
    if bytes(answer.content) == b"null":
        raise errors.no_answer("answered with no content")
    usage = usage_of(answer.usage, read_usage) or Usage(
        prompt_tokens=sent.prompt_tokens,
        completion_tokens=tokens_in(len(bytes(answer.content))),
        counted=True,
    )
    return ProviderAnswer(
        body=under_public_name(body, request.model.upstream_name, sent.public_name),
        usage=usage,
        finish_reason=finish_reason_of(answer.stop_reason),
        provider_request_id=request_id,
    )
