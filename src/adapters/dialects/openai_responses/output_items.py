"""The items of an answer, for clients."""

from collections.abc import Iterable

import msgspec

from adapters.dialects.fields import NOT_JSON
from adapters.dialects.openai_responses.calls import ClientTools
from adapters.dialects.openai_responses.content import write_said
from adapters.dialects.openai_responses.envelope import Sealed, seal
from adapters.dialects.openai_responses.words import NAME
from adapters.dialects.unsayable import unsayable
from domain.inference.conversation.parts import (
    Foreign,
    Image,
    Inline,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from domain.inference.conversation.request import JsonObject

COMPLETED, INCOMPLETE = "completed", "incomplete"


class ItemIds:
    """The names of the items of one answer, in the order in which they begin."""

    def __init__(self, answer_id: str) -> None:
        self._answer = "".join(c for c in answer_id if c.isalnum()) or "0"
        self._count = 0

    def new(self, prefix: str) -> str:
        """``msg_…``, ``rs_…`` and so on."""
        self._count += 1
        return f"{prefix}_{self._answer}{self._count:04x}"


def output_items(
    parts: Iterable[Part], ids: ItemIds, tools: ClientTools, *, status: str, shows_summary: bool
) -> list[JsonObject]:
    """``shows_summary`` is whether thoughts are told as summaries or as what they are."""
    items: list[JsonObject] = []
    said: list[JsonObject] | None = None
    for part in parts:
        if not isinstance(part, Text | Refusal):
            said = None
            items += other_items(part, ids, tools, shows_summary=shows_summary)
            continue
        if said is None:
            said = []
            items.append(message_item(ids.new("msg"), said, status))
        said.append(write_said(part))
    return items


def message_item(item_id: str, content: list[JsonObject], status: str) -> JsonObject:
    return {
        "type": "message",
        "id": item_id,
        "status": status,
        "role": "assistant",
        "content": content,
    }


def other_items(
    part: Part, ids: ItemIds, tools: ClientTools, *, shows_summary: bool
) -> list[JsonObject]:
    """All that is no message. What belongs to a tool call follows it, as a thought that cannot be
    read."""
    match part:
        case ToolCall():
            item_id = call_id(part.name, ids, tools)
            return [call_item(item_id, part, tools), *sealed_items(part, ids)]
        case Thinking():
            item_id = part.id or ids.new("rs")
            return [thought_item(item_id, part, shows_summary=shows_summary)]
        case Foreign(dialect=dialect, json=json) if dialect == NAME:
            return [msgspec.json.decode(json)]
        case Image(source=Inline(data=data)):
            image = {"type": "image_generation_call", "id": ids.new("ig"), "status": COMPLETED}
            return [image | {"result": data}]
        case Foreign():
            # It came with a tool that only its own dialect can have asked for.
            return []
        case _:
            raise unsayable(part, "a response")


def call_id(name: str, ids: ItemIds, tools: ClientTools) -> str:
    return ids.new("ctc" if tools.takes_text(name) else "fc")


def call_item(
    item_id: str, call: ToolCall, tools: ClientTools, status: str | None = None
) -> JsonObject:
    """A call is complete when its arguments are, whatever became of the answer."""
    status = status or (COMPLETED if _is_whole(call.arguments) else INCOMPLETE)
    return tools.item(call) | {"id": item_id, "status": status}


def _is_whole(arguments: str) -> bool:
    try:
        msgspec.json.decode(arguments.encode("utf-8", "replace"), type=msgspec.Raw)
    except NOT_JSON:
        # Some models say nothing at all for a tool without parameters.
        return not arguments.strip()
    return True


def sealed_items(call: ToolCall, ids: ItemIds) -> list[JsonObject]:
    if call.opaque is None or call.opaque_of is None:
        return []
    sealed = seal(Sealed(value=call.opaque, of=call.opaque_of, call_id=call.id))
    return [{"type": "reasoning", "id": ids.new("rs"), "summary": [], "encrypted_content": sealed}]


def thought_item(item_id: str, thought: Thinking, *, shows_summary: bool) -> JsonObject:
    item: JsonObject = {"type": "reasoning", "id": item_id, "summary": []}
    if thought.text and shows_summary:
        item["summary"] = [{"type": "summary_text", "text": thought.text}]
    elif thought.text:
        item["content"] = [{"type": "reasoning_text", "text": thought.text}]
    if thought.opaque is not None:
        item["encrypted_content"] = encrypted_content(thought)
    return item


def encrypted_content(thought: Thinking) -> str | None:
    value, of = thought.opaque, thought.opaque_of
    if value is None or of is None or of == NAME:
        return value
    return seal(Sealed(value=value, of=of, is_redacted=thought.is_redacted))
