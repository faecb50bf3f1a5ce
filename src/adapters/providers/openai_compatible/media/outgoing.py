"""What goes out for the operations beside texts, and what it is known to cost."""

from decimal import Decimal
from typing import NamedTuple

import msgspec

from adapters.dialects.audio_length import seconds_of
from adapters.dialects.decoding import decoded
from adapters.dialects.multipart import read_form
from adapters.providers.json_reading import NOT_JSON
from adapters.providers.openai_compatible.request import Adapt, renamed, tokens_in
from application.inference.ports import JSON, Operation, ProviderRequest
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage

_PROMPTS = ("prompt", "input", "query", "documents", "instructions")


class _Counted(msgspec.Struct):
    """What is billed by the piece."""

    n: int | None = None
    input: msgspec.Raw = msgspec.Raw(b"null")


_DECODER = msgspec.json.Decoder(_Counted)


class Outgoing(NamedTuple):
    """``public_name`` is what the client asked for; ``expected`` what it will have used if the
    provider does not say."""

    body: bytes
    public_name: str
    expected: Usage
    content_type: str = JSON


def outgoing(request: ProviderRequest, adapt: Adapt) -> Outgoing:
    """Raises ``InvalidError`` for what no provider would understand."""
    if request.operation is Operation.TRANSCRIPTION:
        return _upload(request)
    members, public_name = renamed(request)
    sizes = [memoryview(members[name]).nbytes for name in _PROMPTS if name in members]
    return Outgoing(
        msgspec.json.encode(adapt(request.operation, members)),
        public_name,
        _expected(request, tokens_in(sum(sizes))),
    )


def _upload(request: ProviderRequest) -> Outgoing:
    form = read_form(request.body, request.content_type)
    public_name, file = form.text("model"), form.file("file")
    if not public_name:
        raise InvalidError("Missing required parameter: 'model'.", param="model")
    seconds = Decimal(0) if file is None else seconds_of(file.content)
    return Outgoing(
        form.written({"model": request.model.upstream_name}),
        public_name,
        Usage(seconds=seconds, counted=True),
        form.content_type,
    )


def _expected(request: ProviderRequest, prompt_tokens: int) -> Usage:
    body = decoded(_DECODER, request.body)
    images = characters = 0
    if request.operation is Operation.IMAGE:
        images = 1 if body.n is None else body.n
    if request.operation is Operation.SPEECH:
        characters = _length(body.input)
    return Usage(prompt_tokens=prompt_tokens, images=images, characters=characters, counted=True)


def _length(text: msgspec.Raw) -> int:
    try:
        return len(msgspec.json.decode(text, type=str))
    except NOT_JSON as error:
        raise InvalidError("'input' must be a text.", param="input") from error
