"""Turns, as the items that they consist of."""

from collections.abc import Iterable

import msgspec

from adapters.dialects.fields import unsupported
from adapters.dialects.openai_responses.calls import function_call
from adapters.dialects.openai_responses.content import write_part, write_said
from adapters.dialects.openai_responses.words import NAME
from domain.inference.conversation.parts import (
    Foreign,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from domain.inference.conversation.request import JsonObject, Role, Turn


def write_turns(turns: Iterable[Turn]) -> list[JsonObject]:
    """What goes to a provider. Raises ``UnsupportedByModelError``."""
    items: list[JsonObject] = []
    for turn in turns:
        if turn.name is not None:
            raise unsupported("name", "messages have no names here")
        if turn.role is Role.ASSISTANT:
            items += _write_assistant(turn.parts)
        elif turn.role is Role.TOOL:
            items += [_write_result(part) for part in turn.parts if isinstance(part, ToolResult)]
        else:
            content = [write_part(part) for part in turn.parts]
            items.append({"type": "message", "role": turn.role.value, "content": content})
    return items


def _write_assistant(parts: Iterable[Part]) -> Iterable[JsonObject]:
    items: list[JsonObject] = []
    said: list[JsonObject] | None = None
    for part in parts:
        if isinstance(part, Text | Refusal):
            if said is None:
                said = []
                items.append({"type": "message", "role": "assistant", "content": said})
            said.append(write_said(part))
            continue
        said = None
        item = _write_other(part)
        if item is not None:
            items.append(item)
    return items


def _write_other(part: Part) -> JsonObject | None:
    match part:
        case ToolCall():
            # What another provider wants back with it means nothing to this one.
            return function_call(part)
        case Thinking():
            return _write_thought(part)
        case Foreign(dialect=dialect, json=json) if dialect == NAME:
            item: JsonObject = msgspec.json.decode(json)
            return item
        case Foreign(dialect=dialect):
            raise unsupported("messages", f"a part of them is for '{dialect}' alone")
        case _:
            raise unsupported("messages", f"a model cannot have said a {type(part).__name__} here")


def _write_thought(thought: Thinking) -> JsonObject | None:
    """``None`` for thoughts of other providers' models: nobody but their makers can take them
    back, and a prompt is complete without them."""
    if thought.opaque_of not in (None, NAME):
        return None
    summary = [{"type": "summary_text", "text": thought.text}] if thought.text else []
    item: JsonObject = {"type": "reasoning", "summary": summary}
    if thought.id is not None:
        item["id"] = thought.id
    if thought.opaque is not None:
        item["encrypted_content"] = thought.opaque
    return item


def _write_result(result: ToolResult) -> JsonObject:
    # One text is what every server of this API takes; parts are not.
    match result.parts:
        case (Text(text=text),):
            output: str | list[JsonObject] = text
        case parts:
            output = [write_part(part) for part in parts]
    item: JsonObject = {
        "type": "function_call_output",
        "call_id": result.call_id,
        "output": output,
    }
    # There is no other word for a tool that failed.
    return item | {"status": "incomplete"} if result.is_error else item
