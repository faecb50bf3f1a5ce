"""One part of a stream that is being written, and what tells of it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from adapters.dialects.openai_responses.calls import ClientTools
from adapters.dialects.openai_responses.content import logprobs_in, write_said
from adapters.dialects.openai_responses.output_items import (
    COMPLETED,
    call_item,
    message_item,
    thought_item,
)
from adapters.dialects.openai_responses.tools import TEXT
from domain.inference.conversation.events import Delta, Opaque
from domain.inference.conversation.parts import Refusal, Text, Thinking, ToolCall
from domain.inference.conversation.request import JsonObject

_IN_PROGRESS = "in_progress"


class WrittenPart(Protocol):
    def add(self, delta: Delta) -> Iterator[JsonObject]: ...

    def keep(self, opaque: Opaque) -> None: ...

    def end(self) -> Iterator[JsonObject]: ...


class _Item:
    """``item`` is in the output from its beginning, and is filled when it is done."""

    def __init__(self, item: JsonObject, place: int) -> None:
        self.item = item
        self._place = place

    def added(self) -> JsonObject:
        return self._tell("added", dict(self.item))

    def done(self, item: JsonObject) -> JsonObject:
        self.item.clear()
        self.item |= item
        return self._tell("done", self.item)

    def event(self, kind: str, **members: object) -> JsonObject:
        where = {"item_id": self.item["id"], "output_index": self._place}
        return {"type": f"response.{kind}", **where, **members}

    def _tell(self, what: str, item: JsonObject) -> JsonObject:
        kind = f"response.output_item.{what}"
        return {"type": kind, "output_index": self._place, "item": item}


class WrittenMessage(_Item):
    def __init__(self, item_id: str, place: int) -> None:
        self.content: list[JsonObject] = []
        self._open = 0
        self._closes_as: str | None = None
        super().__init__(message_item(item_id, [], _IN_PROGRESS), place)

    def begin(self, part: JsonObject) -> int:
        """Returns the place of the part."""
        self._open += 1
        self.content.append(part)
        return len(self.content) - 1

    def finish(self) -> Iterator[JsonObject]:
        """One part has ended."""
        self._open -= 1
        if self._closes_as is not None:
            yield from self.close(self._closes_as)

    def close(self, status: str) -> Iterator[JsonObject]:
        """As soon as nothing is said in it any more."""
        self._closes_as = status
        if self._open == 0:
            yield self.done(message_item(self.item["id"], self.content, status))


class WrittenSaying(WrittenPart):
    def __init__(self, message: WrittenMessage, *, is_refusal: bool) -> None:
        self._message = message
        self._is_refusal = is_refusal
        self._said: list[str] = []
        self._logprobs: list[object] = []
        self._place = message.begin(self._part())

    def added(self) -> JsonObject:
        part = self._message.content[self._place]
        return self._message.event("content_part.added", content_index=self._place, part=part)

    def add(self, delta: Delta) -> Iterator[JsonObject]:
        self._said.append(delta.text)
        said: JsonObject = {"content_index": self._place, "delta": delta.text}
        if self._is_refusal:
            yield self._message.event("refusal.delta", **said)
            return
        logprobs = logprobs_in(delta.logprobs)
        self._logprobs += logprobs
        yield self._message.event("output_text.delta", **said, logprobs=logprobs)

    def keep(self, opaque: Opaque) -> None:
        """Nobody wants anything back with what was said."""

    def end(self) -> Iterator[JsonObject]:
        text, message, place = "".join(self._said), self._message, self._place
        part = message.content[place] = self._part()
        if self._is_refusal:
            yield message.event("refusal.done", content_index=place, refusal=text)
        else:
            told = {"text": text, "logprobs": self._logprobs}
            yield message.event("output_text.done", content_index=place, **told)
        yield message.event("content_part.done", content_index=place, part=part)
        yield from message.finish()

    def _part(self) -> JsonObject:
        text = "".join(self._said)
        part = write_said(Refusal(text=text) if self._is_refusal else Text(text=text))
        return part | {"logprobs": self._logprobs} if self._logprobs else part


class WrittenCall(_Item, WrittenPart):
    def __init__(self, item_id: str, place: int, call: ToolCall, tools: ClientTools) -> None:
        self.call = call
        self._tools = tools
        self._arguments: list[str] = []
        super().__init__(call_item(item_id, call, tools, _IN_PROGRESS), place)

    def add(self, delta: Delta) -> Iterator[JsonObject]:
        self._arguments.append(delta.text)
        # The text that a tool takes can only be told when all of it is there.
        if not self._tools.takes_text(self.call.name):
            yield self.event("function_call_arguments.delta", delta=delta.text)

    def keep(self, opaque: Opaque) -> None:
        self.call = replace(self.call, opaque=opaque.value, opaque_of=opaque.of)

    def end(self) -> Iterator[JsonObject]:
        self.call = replace(self.call, arguments="".join(self._arguments))
        item = call_item(self.item["id"], self.call, self._tools)
        if self._tools.takes_text(self.call.name):
            yield self.event("custom_tool_call_input.delta", delta=item[TEXT])
            yield self.event("custom_tool_call_input.done", input=item[TEXT])
        else:
            told = {"arguments": item["arguments"], "name": item["name"]}
            yield self.event("function_call_arguments.done", **told)
        yield self.done(item)


class WrittenThought(_Item, WrittenPart):
    def __init__(self, item_id: str, place: int, *, shows_summary: bool) -> None:
        self._shows_summary = shows_summary
        self._said: list[str] = []
        self._thought = Thinking(id=item_id)
        thought = thought_item(item_id, self._thought, shows_summary=shows_summary)
        super().__init__(thought | {"status": _IN_PROGRESS}, place)

    def add(self, delta: Delta) -> Iterator[JsonObject]:
        if not self._said:
            yield self._part("added", "")
        self._said.append(delta.text)
        yield self._text("delta", delta=delta.text)

    def keep(self, opaque: Opaque) -> None:
        self._thought = replace(
            self._thought,
            opaque=opaque.value,
            opaque_of=opaque.of,
            is_redacted=opaque.is_redacted,
        )

    def end(self) -> Iterator[JsonObject]:
        text = "".join(self._said)
        if self._said:
            yield self._text("done", text=text)
            yield self._part("done", text)
        thought = replace(self._thought, text=text)
        item = thought_item(self.item["id"], thought, shows_summary=self._shows_summary)
        yield self.done(item | {"status": COMPLETED})

    def _text(self, what: str, **members: str) -> JsonObject:
        if self._shows_summary:
            return self.event(f"reasoning_summary_text.{what}", summary_index=0, **members)
        return self.event(f"reasoning_text.{what}", content_index=0, **members)

    def _part(self, what: str, text: str) -> JsonObject:
        if self._shows_summary:
            part = {"type": "summary_text", "text": text}
            return self.event(f"reasoning_summary_part.{what}", summary_index=0, part=part)
        part = {"type": "reasoning_text", "text": text}
        return self.event(f"content_part.{what}", content_index=0, part=part)
