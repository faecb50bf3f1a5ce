"""Whole answers of OpenAI's chat."""

from collections.abc import Sequence

import msgspec

from adapters.dialects.fields import Fields
from adapters.dialects.openai_chat.parts import write_images
from adapters.dialects.openai_chat.read_messages import read_said
from adapters.dialects.openai_chat.read_request import LEGACY_TOOLS
from adapters.dialects.openai_chat.sound import read_sound, write_sound
from adapters.dialects.openai_chat.usage import read_usage, write_usage
from adapters.dialects.openai_chat.words import FINISH_REASONS, NAME, stop_of
from adapters.dialects.openai_chat.write_messages import write_said
from domain.inference.conversation.answer import Choice, GenerationAnswer
from domain.inference.conversation.parts import (
    Audio,
    File,
    Foreign,
    Image,
    Part,
    Text,
    ToolCall,
    ToolResult,
)
from domain.inference.conversation.request import GenerationRequest, JsonObject
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import InvalidError

_FINGERPRINT = "system_fingerprint"


def read_answer(body: bytes) -> GenerationAnswer:
    """Raises ``ProviderFailedError``."""
    try:
        return _read(Fields.of(body))
    except InvalidError as error:
        raise ProviderFailedError(
            "The provider answered with something that is no chat completion."
        ) from error


def write_answer(answer: GenerationAnswer, request: GenerationRequest) -> bytes:
    legacy = LEGACY_TOOLS in request.extras
    body: JsonObject = {
        "id": answer.id,
        "object": "chat.completion",
        "created": answer.created or 0,
        "model": request.model,
        "choices": [
            _write_choice(index, choice, answer.created or 0, legacy=legacy)
            for index, choice in enumerate(answer.choices)
        ],
    }
    if answer.usage is not None:
        body["usage"] = write_usage(answer.usage)
    if answer.service_tier is not None:
        body["service_tier"] = answer.service_tier
    if _FINGERPRINT in answer.extras:
        body[_FINGERPRINT] = answer.extras[_FINGERPRINT]
    return msgspec.json.encode(body)


def _read(fields: Fields) -> GenerationAnswer:
    if fields.has("error"):
        raise ProviderFailedError("The provider answered with an error.")
    if not isinstance(fields.peek("choices"), list):
        raise fields.missing("choices")
    fingerprint = fields.text(_FINGERPRINT)
    return GenerationAnswer(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        choices=tuple(_read_choice(choice) for choice in fields.objects("choices")),
        usage=read_usage(fields.raw("usage")),
        created=fields.integer("created"),
        service_tier=fields.text("service_tier"),
        extras={} if fingerprint is None else {_FINGERPRINT: fingerprint},
    )


def _read_choice(choice: Fields) -> Choice:
    message = choice.object("message")
    if message is None:
        raise choice.missing("message")
    sound = message.mapping("audio")
    parts = read_said(message) + (() if sound is None else (_read_sound(sound),))
    calls = any(isinstance(part, ToolCall) for part in parts)
    return Choice(
        parts=parts,
        stop=stop_of(choice.text("finish_reason"), calls_tools=calls),
        logprobs=choice.mapping("logprobs"),
    )


def _read_sound(sound: JsonObject) -> Audio:
    try:
        return read_sound(sound)
    except TypeError as error:
        raise InvalidError("The sound of the message is none.") from error


def _write_choice(index: int, choice: Choice, created: int, *, legacy: bool) -> JsonObject:
    said = write_said(_sayable(choice.parts), f"choices[{index}]")
    message: JsonObject = {"role": "assistant", "refusal": None} | said
    images = [part for part in choice.parts if isinstance(part, Image)]
    message |= write_images(images, f"choices[{index}]")
    sound = [part for part in choice.parts if isinstance(part, Audio)]
    message |= write_sound(sound, expires_at=created)
    text = _text_of(choice.parts)
    says_more = "tool_calls" in message or message["refusal"] is not None or bool(sound)
    message["content"] = "" if text is None and not says_more else text
    finish = FINISH_REASONS[choice.stop]
    if legacy and "tool_calls" in message:
        message["function_call"] = message.pop("tool_calls")[0]["function"]
        finish = "function_call"
    return {
        "index": index,
        "message": message,
        "logprobs": choice.logprobs,
        "finish_reason": finish,
    }


def _sayable(parts: Sequence[Part]) -> list[Part]:
    """Without what no message of this format has: the results of another provider's own tools,
    which are told of in the text anyway."""
    return [
        part
        for part in parts
        if not isinstance(part, Text | Image | Audio | File | ToolResult)
        and not (isinstance(part, Foreign) and part.dialect != NAME)
    ]


def _text_of(parts: Sequence[Part]) -> str | None:
    texts = [part.text for part in parts if isinstance(part, Text)]
    return "".join(texts) if texts else None
