"""Thoughts in chat messages.

OpenAI's own API has no member for them; servers that show them write ``reasoning_content`` or
``reasoning``. What the maker of a thought wants back with it travels in ``reasoning_details``,
whose ``format`` names the dialect that understands it.
"""

from typing import Any

from adapters.dialects.fields import Fields
from domain.inference.conversation.parts import Thinking
from domain.inference.conversation.request import JsonObject

_TEXT, _ENCRYPTED = "reasoning.text", "reasoning.encrypted"


def read_thinking(message: Fields) -> list[Thinking]:
    details = [_read_detail(detail) for detail in message.objects("reasoning_details")]
    texts = [message.text("reasoning_content"), message.text("reasoning")]
    known = [detail for detail in details if detail is not None]
    if known:
        return known
    return [Thinking(text=text) for text in texts if text][:1]


def write_thinking(thoughts: list[Thinking]) -> JsonObject:
    """The members of a message that tell them; none for no thoughts."""
    members: JsonObject = {}
    text = "\n\n".join(thought.text for thought in thoughts if thought.text)
    if text:
        members["reasoning_content"] = text
    if len(thoughts) > 1 or any(_needs_detail(thought) for thought in thoughts):
        members["reasoning_details"] = [
            write_detail(thought, index) for index, thought in enumerate(thoughts)
        ]
    return members


def write_detail(thought: Thinking, index: int) -> JsonObject:
    detail: dict[str, Any] = {"index": index}
    if thought.is_redacted:
        detail |= {"type": _ENCRYPTED, "data": thought.opaque or ""}
    else:
        detail |= {"type": _TEXT, "text": thought.text, "signature": thought.opaque}
    if thought.opaque_of is not None:
        detail["format"] = thought.opaque_of
    if thought.id is not None:
        detail["id"] = thought.id
    return detail


def _needs_detail(thought: Thinking) -> bool:
    return thought.opaque is not None or thought.id is not None or thought.is_redacted


def _read_detail(detail: Fields) -> Thinking | None:
    kind, of, name = detail.text("type"), detail.text("format"), detail.text("id")
    if kind == _ENCRYPTED:
        data = detail.text("data")
        return Thinking(id=name, opaque=data, opaque_of=of, is_redacted=True)
    if kind == _TEXT:
        text, signature = detail.text("text") or "", detail.text("signature")
        return Thinking(text=text, id=name, opaque=signature, opaque_of=of)
    return None
