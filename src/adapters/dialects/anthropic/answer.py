"""Whole answers of Anthropic's Messages API."""

from dataclasses import replace

import msgspec

from adapters.dialects.anthropic.read_blocks import read_blocks
from adapters.dialects.anthropic.usage import read_usage, write_usage
from adapters.dialects.anthropic.words import NAME, STOP_REASONS, stop_of
from adapters.dialects.anthropic.write_blocks import write_block
from adapters.dialects.fields import Fields
from adapters.dialects.unsayable import unsayable
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.parts import Audio, Foreign, Part, Text, ToolCall
from domain.inference.conversation.request import GenerationRequest, JsonObject
from domain.inference.errors import ProviderFailedError, UnsupportedByModelError
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage

# Where Anthropic's documentation puts what is meant to be the input of a tool and is no JSON.
INVALID_JSON = "INVALID_JSON"
_CUT = frozenset({StopReason.LENGTH, StopReason.CONTEXT_LENGTH})


def read_answer(body: bytes) -> GenerationAnswer:
    """Raises ``ProviderFailedError``."""
    try:
        return _read(Fields.of(body))
    except InvalidError as error:
        raise ProviderFailedError(
            "The provider answered with something that is no message."
        ) from error


def write_answer(answer: GenerationAnswer, request: GenerationRequest) -> bytes:
    choice = answer.choices[0] if answer.choices else Choice(parts=(), stop=StopReason.END)
    body: JsonObject = {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": _write_content(choice),
        "stop_reason": STOP_REASONS[choice.stop],
        "stop_sequence": choice.stop_sequence,
        "usage": write_usage(answer.usage or Usage()),
    }
    return msgspec.json.encode(body)


def _read(fields: Fields) -> GenerationAnswer:
    if fields.peek("type") == "error":
        raise ProviderFailedError("The provider answered with an error.")
    if not isinstance(fields.peek("content"), list):
        raise fields.missing("content")
    usage = fields.raw("usage")
    choice = Choice(
        parts=tuple(read_blocks(fields)),
        stop=stop_of(fields.text("stop_reason")),
        stop_sequence=fields.text("stop_sequence"),
    )
    return GenerationAnswer(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        choices=(choice,),
        usage=read_usage(usage),
        service_tier=usage.get("service_tier") if isinstance(usage, dict) else None,
    )


def _write_content(choice: Choice) -> list[JsonObject]:
    """Without what only another dialect has, and without empty texts, which clients may not send
    back."""
    is_cut = choice.stop in _CUT
    return [
        _write_part(part, is_cut=is_cut)
        for part in choice.parts
        if not (isinstance(part, Foreign) and part.dialect != NAME) and part != Text(text="")
    ]


def _write_part(part: Part, *, is_cut: bool) -> JsonObject:
    if isinstance(part, Audio):
        raise unsayable(part, "a message")
    try:
        return write_block(part, "content")
    except UnsupportedByModelError as error:
        if not isinstance(part, ToolCall):
            raise ProviderFailedError("The model said what no message can hold.") from error
        # Where the limit came in the middle of the call, the client is told that as well.
        said = {} if is_cut else {INVALID_JSON: part.arguments}
        return write_block(replace(part, arguments=msgspec.json.encode(said).decode()), "content")
