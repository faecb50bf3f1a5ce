import msgspec

from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.request import UpstreamBody, tokens_in
from adapters.providers.openai_compatible.wire import WireAnswer, answer_decoder
from application.inference.ports import ProviderAnswer
from domain.shared.usage import Usage


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    text: str | None = None


class _Texts(msgspec.Struct):
    choices: list[_Choice] = []


def whole_answer(
    body: bytes,
    sent: UpstreamBody,
    upstream_name: str,
    request_id: str | None,
    errors: ErrorMapping,
) -> ProviderAnswer:
    """The provider's body as it came, under the name that the client asked for."""
    answer = decoded(body, errors)
    if answer.failed:
        raise errors.of_body(body)
    if not answer.says_something:
        raise errors.no_answer("answered with neither choices nor data")
    usage = answer.read_usage() or Usage(
        prompt_tokens=sent.prompt_tokens, completion_tokens=_count(body), counted=True
    )
    return ProviderAnswer(
        body=under_public_name(body, upstream_name, sent.public_name),
        usage=usage,
        finish_reason=answer.finish_reason,
        provider_request_id=request_id,
    )


def under_public_name(body: bytes, old: str, new: str) -> bytes:
    """Replace the value of ``model``.

    Quotes inside JSON strings are escaped, so the needle can only be a member.
    """
    if old == new:
        return body
    before, after = msgspec.json.encode(old), msgspec.json.encode(new)
    for member in (b'"model":', b'"model": '):
        if member + before in body:
            return body.replace(member + before, member + after, 1)
    return body


def decoded(body: bytes, errors: ErrorMapping) -> WireAnswer:
    """Raises ``ProviderFailedError`` for anything but a JSON object."""
    try:
        return answer_decoder.decode(body)
    except msgspec.ValidationError as error:
        # An object of another shape is still an answer; anything else is none.
        try:
            fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        except NOT_JSON:
            raise errors.no_answer("answered with something that is no JSON object") from error
        return WireAnswer(
            choices=[] if "choices" in fields else None,
            error=fields.get("error", msgspec.Raw(b"null")),
        )
    except NOT_JSON as error:
        raise errors.no_answer("answered with something that is no JSON") from error


def _count(body: bytes) -> int:
    try:
        texts = msgspec.json.decode(body, type=_Texts).choices
    except NOT_JSON:
        return 0
    said = ((choice.message.content if choice.message else choice.text) or "" for choice in texts)
    return sum(tokens_in(len(text.encode())) for text in said)
