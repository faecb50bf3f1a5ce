"""The turns of a conversation as Gemini's contents."""

from collections.abc import Sequence
from typing import Any

import msgspec

from adapters.dialects.fields import unsupported
from adapters.dialects.google.media import audio_part, media_part
from domain.inference.conversation.parts import (
    Audio,
    File,
    Foreign,
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

NAME = "google"
# Google's own word for a call whose thoughts are lost, since somebody else made it or the client
# did not keep them: newer models refuse a call without any signature.
_NO_SIGNATURE = "skip_thought_signature_validator"
_SYSTEM = (Role.SYSTEM, Role.DEVELOPER)


def system_instruction(turns: Sequence[Turn]) -> JsonObject | None:
    """There is one place for instructions, so all of them stand there in their order."""
    parts = [
        _text(part, f"messages[{index}].content")
        for index, turn in enumerate(turns)
        for part in turn.parts
        if turn.role in _SYSTEM
    ]
    return {"parts": parts} if parts else None


def contents(turns: Sequence[Turn], *, needs_signatures: bool) -> list[JsonObject]:
    writer = _Contents(turns, needs_signatures=needs_signatures)
    for index, turn in enumerate(turns):
        if turn.role not in _SYSTEM:
            writer.add(turn, f"messages[{index}]")
    return writer.written


class _Contents:
    def __init__(self, turns: Sequence[Turn], *, needs_signatures: bool) -> None:
        self.written: list[JsonObject] = []
        self._last: Role | None = None
        self._needs_signatures = needs_signatures
        self._names = {
            part.id: part.name
            for turn in turns
            for part in turn.parts
            if isinstance(part, ToolCall)
        }

    def add(self, turn: Turn, path: str) -> None:
        if turn.name is not None and turn.role is not Role.TOOL:
            raise unsupported(f"{path}.name")
        written = [self._part(part, f"{path}.content") for part in turn.parts]
        parts = [part for part in written if part is not None]
        if turn.role is Role.ASSISTANT:
            parts = _with_signatures(parts)
            if self._needs_signatures:
                _sign(parts)
        if not parts:
            return
        # All results of parallel calls must stand in one content, and so must all calls.
        if turn.role is self._last and turn.role is not Role.USER:
            self.written[-1]["parts"].extend(parts)
        else:
            role = "model" if turn.role is Role.ASSISTANT else "user"
            self.written.append({"role": role, "parts": parts})
        self._last = turn.role

    def _part(self, part: Part, path: str) -> JsonObject | None:
        match part:
            case ToolCall():
                return _call(part, path)
            case ToolResult():
                return self._result(part, path)
            case Thinking():
                return _thought(part)
            case _:
                return _content(part, path)

    def _result(self, result: ToolResult, path: str) -> JsonObject:
        name = result.name or self._names.get(result.call_id)
        if name is None:
            raise InvalidError(
                f"The result of the call '{result.call_id}' has no call before it.", param=path
            )
        text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
        response: JsonObject = {
            "id": result.call_id,
            "name": name,
            "response": {"error" if result.is_error else "output": text},
        }
        media = [_inline(part, path) for part in result.parts if not isinstance(part, Text)]
        if media:
            response["parts"] = media
        return {"functionResponse": response}


def _content(part: Text | Refusal | Image | File | Audio | Foreign, path: str) -> JsonObject:
    match part:
        case Text() | Refusal():
            return {"text": part.text}
        case Image() | File():
            return media_part(part.source, path)
        case Audio():
            return audio_part(part)
        case Foreign():
            return _foreign(part, path)


def _with_signatures(parts: list[JsonObject]) -> list[JsonObject]:
    """The signature of a thought belongs to the picture before it or to the call behind it; Google
    itself never signs thoughts that it tells."""
    found: list[JsonObject] = []
    for part in parts:
        last = found[-1] if found else {}
        if _is_signature(part) and "inlineData" in last:
            last["thoughtSignature"] = part["thoughtSignature"]
            continue
        if "functionCall" in part and "text" in last and "thoughtSignature" in last:
            part.setdefault("thoughtSignature", last.pop("thoughtSignature"))
            if not last["text"]:
                found.pop()
        found.append(part)
    return found


def _is_signature(part: JsonObject) -> bool:
    return part.get("text") == "" and "thoughtSignature" in part


def _sign(parts: list[JsonObject]) -> None:
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None:
        first.setdefault("thoughtSignature", _NO_SIGNATURE)


def _call(call: ToolCall, path: str) -> JsonObject:
    part: JsonObject = {
        "functionCall": {"id": call.id, "name": call.name, "args": _arguments(call, path)}
    }
    if call.opaque is not None and call.opaque_of == NAME:
        part["thoughtSignature"] = call.opaque
    return part


def _arguments(call: ToolCall, path: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidError(
            f"The arguments of the call '{call.id}' are no JSON object.", param=path
        ) from error


def _thought(thought: Thinking) -> JsonObject | None:
    """What another provider thought means nothing here, and Gemini does without."""
    if thought.opaque_of != NAME or thought.opaque is None:
        return None
    part: JsonObject = {"text": thought.text, "thoughtSignature": thought.opaque}
    if thought.text:
        part["thought"] = True
    return part


def _foreign(part: Foreign, path: str) -> JsonObject:
    if part.dialect != NAME:
        raise unsupported(path, "a part of it can only be said in another format")
    return msgspec.json.decode(part.json, type=dict[str, Any])


def _inline(part: Image | File, path: str) -> JsonObject:
    if not isinstance(part.source, Inline):
        raise unsupported(path, "pictures and files of a tool must be inline")
    return media_part(part.source, path)


def _text(part: Part, path: str) -> JsonObject:
    if not isinstance(part, Text):
        raise unsupported(path, "instructions must be text")
    return {"text": part.text}
