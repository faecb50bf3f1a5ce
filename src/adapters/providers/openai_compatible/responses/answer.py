import msgspec

from adapters.dialects.openai_chat.words import FINISH_REASONS
from adapters.dialects.openai_responses.usage import read_usage
from adapters.dialects.openai_responses.words import stop_of
from adapters.dialects.usage import usage_of
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.request import UpstreamBody, tokens_in
from application.inference.ports import ProviderAnswer
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

_NULL = msgspec.Raw(b"null")
# Of what a response can fail with, this is the provider's or its limits; all else is the prompt's.
_NOT_THE_PROMPTS = frozenset(
    {"server_error", "rate_limit_exceeded", "vector_store_timeout", "insufficient_quota"}
)


class WireDetails(msgspec.Struct):
    reason: str | None = None


class WireItem(msgspec.Struct):
    type: str = ""


class WireError(msgspec.Struct):
    code: str | None = None
    message: str = ""
    param: str | None = None


class WireResponse(msgspec.Struct):
    """The few members of a response that the gateway itself reads."""

    status: str = "completed"
    output: list[WireItem] | None = None
    usage: msgspec.Raw = _NULL
    error: WireError | str | None = None
    incomplete_details: WireDetails | None = None

    @property
    def failed(self) -> bool:
        return self.error is not None or self.status == "failed"

    @property
    def finish_reason(self) -> str:
        stop = stop_of(
            self.status,
            (self.incomplete_details or WireDetails()).reason,
            calls_tools=any(item.type == "function_call" for item in self.output or ()),
            says_refusal=False,
        )
        return FINISH_REASONS[stop]

    def read_usage(self) -> Usage | None:
        return usage_of(self.usage, read_usage)

    def failure(self, errors: ErrorMapping) -> StoaError:
        error = self.error if isinstance(self.error, WireError) else WireError(code="server_error")
        is_prompts = error.code is not None and error.code not in _NOT_THE_PROMPTS
        said = {
            "type": "invalid_request_error" if is_prompts else "server_error",
            "code": error.code,
            "message": error.message,
            "param": error.param,
        }
        return errors.of_body(msgspec.json.encode({"error": said}))


response_decoder = msgspec.json.Decoder(WireResponse)


def whole_response(
    body: bytes, sent: UpstreamBody, request_id: str | None, errors: ErrorMapping
) -> ProviderAnswer:
    """The provider's body as it came."""
    try:
        response = response_decoder.decode(body)
    except NOT_JSON as error:
        raise errors.no_answer("answered with something that is no response") from error
    if response.failed:
        raise response.failure(errors)
    if response.output is None:
        raise errors.no_answer("answered with a response without an output")
    return ProviderAnswer(
        body=body,
        usage=response.read_usage()
        or Usage(
            prompt_tokens=sent.prompt_tokens, completion_tokens=tokens_in(len(body)), counted=True
        ),
        finish_reason=response.finish_reason,
        provider_request_id=request_id,
    )
