"""The turns of a conversation as Cohere's messages."""

from collections.abc import Iterable, Sequence

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
    Url,
)
from domain.inference.conversation.request import JsonObject, Role, Turn

_ROLES = {Role.DEVELOPER: "system"}


def write_messages(turns: Sequence[Turn]) -> list[JsonObject]:
    """Raises ``UnsupportedByModelError`` for what is neither text, thought, picture nor tool."""
    written: list[JsonObject] = []
    for turn in turns:
        if turn.name is not None and turn.role is not Role.TOOL:
            raise unsupported("messages", "nobody who speaks can have a name")
        if turn.role is Role.TOOL:
            written += [_result(part) for part in turn.parts if isinstance(part, ToolResult)]
        elif turn.role is Role.ASSISTANT:
            written.append(_answer(turn.parts))
        else:
            role = _ROLES.get(turn.role, turn.role.value)
            written.append({"role": role, "content": _content(turn.parts)})
    return written


def _answer(parts: Iterable[Part]) -> JsonObject:
    """What was said before tools were called is their plan."""
    parts = tuple(parts)
    calls = [_call(part) for part in parts if isinstance(part, ToolCall)]
    said = [part for part in parts if not isinstance(part, ToolCall)]
    message: JsonObject = {"role": "assistant"}
    if calls:
        message["tool_calls"] = calls
        plan = "\n".join(part.text for part in said if isinstance(part, Text | Refusal))
        if plan:
            message["tool_plan"] = plan
        said = [part for part in said if isinstance(part, Thinking)]
    content = _content(said)
    return message | {"content": content} if content or not calls else message


def _content(parts: Iterable[Part]) -> str | list[JsonObject]:
    """A text alone stands for itself."""
    written = [part for one in parts if (part := _part(one)) is not None]
    if all(part["type"] == "text" for part in written):
        return "\n".join(part["text"] for part in written)
    return written


def _part(part: Part) -> JsonObject | None:
    match part:
        case Text() | Refusal():
            return {"type": "text", "text": part.text}
        case Thinking():
            # What was signed belongs to the provider that signed it.
            thought = part.text if part.opaque is None else ""
            return {"type": "thinking", "thinking": thought} if thought else None
        case Image():
            return _image(part)
        case File() if (text := text_of(part)) is not None:
            return {"type": "text", "text": text}
        case _:
            what = type(part).__name__.lower()
            raise unsupported("messages", f"Cohere reads text and pictures, not '{what}'")


def _image(image: Image) -> JsonObject:
    match image.source:
        case Url(url=url):
            address = url
        case Inline(media_type=media_type, data=data):
            address = f"data:{media_type};base64,{data}"
        case _:
            raise unsupported("messages", "it has a file that another provider keeps")
    shown: JsonObject = {"url": address}
    if image.detail is not None:
        shown["detail"] = image.detail
    return {"type": "image_url", "image_url": shown}


def _call(call: ToolCall) -> JsonObject:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function}


def _result(result: ToolResult) -> JsonObject:
    text = "\n".join(_plain(part) for part in result.parts)
    return {
        "role": "tool",
        "tool_call_id": result.call_id,
        "content": f"Error: {text}" if result.is_error else text,
    }


def _plain(part: Text | Image | File) -> str:
    if isinstance(part, Text):
        return part.text
    text = text_of(part) if isinstance(part, File) else None
    if text is None:
        raise unsupported("messages", "results of tools must be text")
    return text
