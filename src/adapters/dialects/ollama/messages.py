"""The turns of a conversation as Ollama's messages: one text each, with pictures beside it."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from adapters.dialects.fields import unsupported
from adapters.dialects.plain_files import text_of
from domain.inference.conversation.parts import (
    File,
    Image,
    Inline,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from domain.inference.conversation.request import JsonObject, Role, Turn
from domain.shared.errors import InvalidError

_ROLES = {Role.DEVELOPER: "system"}


def write_messages(turns: Sequence[Turn]) -> list[JsonObject]:
    """Raises ``UnsupportedByModelError`` for what is neither text, thought, picture nor tool."""
    names = {
        part.id: part.name for turn in turns for part in turn.parts if isinstance(part, ToolCall)
    }
    written: list[JsonObject] = []
    for turn in turns:
        if turn.role is Role.TOOL:
            written += [_result(part, names) for part in _results(turn.parts)]
        else:
            written.append(_message(turn))
    return written


def _message(turn: Turn) -> JsonObject:
    if turn.name is not None:
        raise unsupported("messages", "nobody who speaks can have a name")
    message: JsonObject = {
        "role": _ROLES.get(turn.role, turn.role.value),
        "content": "\n".join(_texts(turn.parts)),
    }
    images = [_image(part) for part in turn.parts if isinstance(part, Image)]
    calls = [_call(part) for part in turn.parts if isinstance(part, ToolCall)]
    # What was signed belongs to the provider that signed it.
    thoughts = [p.text for p in turn.parts if isinstance(p, Thinking) and p.opaque is None]
    if images:
        message["images"] = images
    if calls:
        message["tool_calls"] = calls
    if any(thoughts):
        message["thinking"] = "\n".join(thoughts)
    return message


def _texts(parts: Iterable[Part]) -> list[str]:
    found: list[str] = []
    for part in parts:
        match part:
            case Text() | Refusal():
                found.append(part.text)
            case Image() | ToolCall() | Thinking():
                pass
            case File() if (text := text_of(part)) is not None:
                found.append(text)
            case _:
                what = type(part).__name__.lower()
                raise unsupported("messages", f"Ollama reads text and pictures, not '{what}'")
    return found


def _image(part: Image) -> str:
    if not isinstance(part.source, Inline):
        raise unsupported("messages", "Ollama fetches no pictures; send them inline, as base64")
    return part.source.data


def _call(call: ToolCall) -> JsonObject:
    function = {"name": call.name, "arguments": _arguments(call)}
    return {"id": call.id, "function": function}


def _arguments(call: ToolCall) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidError(
            f"The arguments of the call '{call.id}' are no JSON object.", param="messages"
        ) from error


def _results(parts: Iterable[Part]) -> list[ToolResult]:
    return [part for part in parts if isinstance(part, ToolResult)]


def _result(result: ToolResult, names: dict[str, str]) -> JsonObject:
    text = "\n".join(_texts(result.parts))
    message: JsonObject = {
        "role": "tool",
        "tool_call_id": result.call_id,
        "content": f"Error: {text}" if result.is_error else text,
    }
    name = result.name or names.get(result.call_id)
    if name is not None:
        message["tool_name"] = name
    images = [_image(part) for part in result.parts if isinstance(part, Image)]
    return message | {"images": images} if images else message
