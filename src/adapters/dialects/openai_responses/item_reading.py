"""The items of a conversation, as the turns that they are part of."""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from adapters.dialects.fields import Fields
from adapters.dialects.openai_responses.calls import arguments_with
from adapters.dialects.openai_responses.content import read_content
from adapters.dialects.openai_responses.envelope import Sealed, unseal
from adapters.dialects.openai_responses.tools import TEXT, full_name
from adapters.dialects.openai_responses.words import NAME
from domain.inference.conversation.parts import (
    File,
    Foreign,
    Image,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from domain.inference.conversation.request import Role, Turn
from domain.shared.errors import InvalidError

# What items of answers say besides what a model has to read.
_REMARKS = ("id", "type", "status", "phase", "caller")
_BETWEEN_THOUGHTS = "\n\n"


class ItemReader:
    """Gathers items into turns: those of the model, one after the other, are one turn, and so are
    the results of its tools."""

    def __init__(self, *, is_strict: bool) -> None:
        """``is_strict`` is for requests: members that are unknown there are refused."""
        self._is_strict = is_strict
        self._turns: list[Turn] = []
        self._tools: dict[str, str] = {}
        self._kept: dict[str, Sealed] = {}
        self._known: dict[str, Callable[[Fields], None]] = {
            "message": self._message,
            "function_call": self._call,
            "function_call_output": self._result,
            "reasoning": self._thought,
            "item_reference": _refuse_reference,
        }
        if is_strict:
            # In answers they are those of tools that only their provider was told of.
            self._known |= {
                "custom_tool_call": self._call,
                "custom_tool_call_output": self._result,
            }

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(self._turns)

    @property
    def answer(self) -> tuple[Part, ...]:
        """The parts, where all items are those of one answer."""
        return tuple(part for turn in self._turns for part in turn.parts)

    def read(self, item: object, path: str) -> None:
        fields = Fields(item, path)
        kind = fields.peek("type") or ("message" if fields.has("role") else None)
        known = self._known.get(kind) if isinstance(kind, str) else None
        if known is not None:
            known(fields)
        elif kind is None:
            raise fields.missing("type")
        else:
            json = msgspec.json.encode(item).decode()
            self._add(Role.ASSISTANT, Foreign(dialect=NAME, json=json))
            return
        if self._is_strict:
            fields.end(*_REMARKS)

    def _message(self, fields: Fields) -> None:
        role = fields.needed("role")
        if role not in (Role.USER, Role.ASSISTANT, Role.SYSTEM, Role.DEVELOPER):
            raise fields.wrong("role", "'user', 'assistant', 'system' or 'developer'")
        if not fields.has("content"):
            raise fields.missing("content")
        parts = read_content(fields, "content", is_strict=self._is_strict)
        if role == Role.ASSISTANT:
            self._add(Role.ASSISTANT, *parts)
        else:
            self._turns.append(Turn(role=Role(role), parts=tuple(parts)))

    def _call(self, fields: Fields) -> None:
        is_text = fields.peek("type") == "custom_tool_call"
        call = ToolCall(
            id=fields.needed("call_id"),
            name=full_name(fields.text("namespace"), fields.needed("name")),
            arguments=arguments_with(fields.needed(TEXT))
            if is_text
            else fields.needed("arguments"),
        )
        kept = self._kept.pop(call.id, None)
        self._tools[call.id] = call.name
        self._add(
            Role.ASSISTANT,
            call if kept is None else replace(call, opaque=kept.value, opaque_of=kept.of),
        )

    def _result(self, fields: Fields) -> None:
        call_id = fields.needed("call_id")
        if fields.peek("output") is None:
            raise fields.missing("output")
        parts = read_content(fields, "output", is_strict=self._is_strict)
        for part in parts:
            if not isinstance(part, Text | Image | File):
                raise fields.wrong("output", "text, images and files")
        self._add(
            Role.TOOL,
            ToolResult(
                call_id=call_id,
                parts=tuple(part for part in parts if isinstance(part, Text | Image | File)),
                name=fields.text("name") or self._tools.get(call_id),
                is_error=fields.peek("status") == "incomplete",
            ),
        )

    def _thought(self, fields: Fields) -> None:
        read = read_thought(fields)
        if isinstance(read, Thinking):
            self._add(Role.ASSISTANT, read)
            return
        self._kept[read.call_id] = read
        for index, turn in enumerate(self._turns):
            self._turns[index] = replace(turn, parts=tuple(map(self._given_back, turn.parts)))

    def _given_back(self, part: Part) -> Part:
        if isinstance(part, ToolCall) and part.id in self._kept:
            kept = self._kept.pop(part.id)
            return replace(part, opaque=kept.value, opaque_of=kept.of)
        return part

    def _add(self, role: Role, *parts: Part) -> None:
        if self._turns and self._turns[-1].role is role:
            last = self._turns[-1]
            self._turns[-1] = replace(last, parts=(*last.parts, *parts))
        elif parts:
            self._turns.append(Turn(role=role, parts=parts))


def _refuse_reference(fields: Fields) -> None:
    raise InvalidError(f"Item with id '{fields.needed('id')}' not found.", param=fields.path("id"))


def read_thought(fields: Fields) -> Thinking | Sealed:
    """A thought, or what belongs to a tool call. The summary is what there is to read of a thought
    unless the model shows all of it."""
    summary = [part.needed("text") for part in fields.objects("summary")]
    content = [part.needed("text") for part in fields.objects("content")]
    encrypted = fields.text("encrypted_content")
    thought = Thinking(text=_BETWEEN_THOUGHTS.join(summary or content), id=fields.text("id"))
    if encrypted is None:
        return thought
    sealed = unseal(encrypted)
    if sealed is None:
        return replace(thought, opaque=encrypted, opaque_of=NAME)
    if sealed.call_id:
        return sealed
    return replace(
        thought, opaque=sealed.value, opaque_of=sealed.of, is_redacted=sealed.is_redacted
    )
