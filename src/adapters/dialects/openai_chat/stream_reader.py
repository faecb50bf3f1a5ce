"""Chunks of OpenAI's chat as events."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from adapters.dialects.dialect import StreamReader
from adapters.dialects.events import EventReader, EventTooLargeError, text_in
from adapters.dialects.fields import NOT_JSON
from adapters.dialects.openai_chat.sound import read_sound
from adapters.dialects.openai_chat.usage import read_usage
from adapters.dialects.openai_chat.words import stop_of
from domain.inference.conversation.events import (
    Delta,
    Measured,
    Opaque,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    Stopped,
    StreamEvent,
    WholePart,
)
from domain.inference.conversation.request import JsonObject
from domain.inference.errors import ProviderFailedError

_DONE = b"[DONE]"


class OpenAIChatReader(StreamReader):
    def __init__(self) -> None:
        self._events = EventReader()
        self._started = False
        self._done = False
        self._choices: dict[int, _ChoiceReader] = {}

    def feed(self, data: bytes) -> list[StreamEvent]:
        found: list[StreamEvent] = []
        try:
            for event in self._events.feed(data):
                if event.data.strip() == _DONE:
                    self._done = True
                elif not self._done:
                    self._read(event.data, found)
        except (EventTooLargeError, *NOT_JSON, AttributeError, TypeError, KeyError) as error:
            raise ProviderFailedError(
                "The provider sent something that is no stream of chat completions."
            ) from error
        return found

    def end(self) -> list[StreamEvent]:
        stopped = self._choices and all(choice.stopped for choice in self._choices.values())
        if not self._started or not (self._done or stopped):
            raise ProviderFailedError("The provider ended its stream before the terminator.")
        found: list[StreamEvent] = []
        for choice in self._choices.values():
            choice.stop(None, found)
        return found

    def _read(self, data: bytes, found: list[StreamEvent]) -> None:
        chunk = msgspec.json.decode(data)
        if chunk.get("error"):
            raise ProviderFailedError("The provider reported an error in its stream.")
        if not self._started:
            self._started = True
            created = chunk.get("created")
            found.append(
                Started(
                    id=text_in(chunk, "id"),
                    model=text_in(chunk, "model"),
                    created=created if isinstance(created, int) else None,
                )
            )
        for choice in chunk.get("choices") or ():
            index = choice.get("index") or 0
            reader = self._choices.setdefault(index, _ChoiceReader(index))
            reader.read(choice, found)
        usage = read_usage(chunk.get("usage"))
        if usage is not None:
            found.append(Measured(usage=usage))


@dataclass(slots=True)
class _ChoiceReader:
    """``open`` is the running part of text, thought or refusal, which follow each other; tool
    calls run beside it until the end."""

    choice: int
    stopped: bool = False
    parts: int = 0
    open: tuple[PartKind, int] | None = None
    calls: dict[Any, int] = field(default_factory=dict)

    def read(self, choice: JsonObject, found: list[StreamEvent]) -> None:
        delta = choice.get("delta") or {}
        logprobs = choice.get("logprobs")
        self._think(delta, found)
        for name, kind in (("content", PartKind.TEXT), ("refusal", PartKind.REFUSAL)):
            text = text_in(delta, name)
            if text:
                found.append(
                    Delta(
                        index=self._part(kind, found),
                        text=text,
                        choice=self.choice,
                        logprobs=logprobs,
                    )
                )
        if delta.get("audio"):
            self._end_open(found)
            sound = read_sound(delta["audio"])
            found.append(WholePart(index=self.parts, part=sound, choice=self.choice))
            self.parts += 1
        for call in delta.get("tool_calls") or ():
            self._call(call, found)
        if delta.get("function_call"):
            self._call({"index": 0, "function": delta["function_call"]}, found)
        if choice.get("finish_reason"):
            self.stop(text_in(choice, "finish_reason"), found)

    def stop(self, finish_reason: str | None, found: list[StreamEvent]) -> None:
        if self.stopped:
            return
        self.stopped = True
        self._end_open(found)
        found += [PartEnded(index=index, choice=self.choice) for index in self.calls.values()]
        stop = stop_of(finish_reason, calls_tools=bool(self.calls))
        found.append(Stopped(reason=stop, choice=self.choice))

    def _think(self, delta: JsonObject, found: list[StreamEvent]) -> None:
        text = text_in(delta, "reasoning_content") or text_in(delta, "reasoning")
        if text:
            part = self._part(PartKind.THINKING, found)
            found.append(Delta(index=part, text=text, choice=self.choice))
        for detail in delta.get("reasoning_details") or ():
            redacted = detail.get("type") == "reasoning.encrypted"
            value = text_in(detail, "data" if redacted else "signature")
            if value:
                found.append(
                    Opaque(
                        index=self._part(PartKind.THINKING, found),
                        value=value,
                        of=text_in(detail, "format"),
                        choice=self.choice,
                        is_redacted=redacted,
                    )
                )
                # Whatever is thought after a signature is another thought.
                self._end_open(found)

    def _part(self, kind: PartKind, found: list[StreamEvent]) -> int:
        if self.open is None or self.open[0] is not kind:
            self._end_open(found)
            self.open = (kind, self.parts)
            self.parts += 1
            found.append(PartStarted(index=self.open[1], kind=kind, choice=self.choice))
        return self.open[1]

    def _end_open(self, found: list[StreamEvent]) -> None:
        if self.open is not None:
            found.append(PartEnded(index=self.open[1], choice=self.choice))
            self.open = None

    def _call(self, call: JsonObject, found: list[StreamEvent]) -> None:
        function = call.get("function") or {}
        key = call.get("index")
        if key is None:
            # Servers without numbers name a call once and go on without the name.
            key = call.get("id") or next(reversed(self.calls), 0)
        if key not in self.calls:
            self._end_open(found)
            self.calls[key] = self.parts
            self.parts += 1
            found.append(
                PartStarted(
                    index=self.calls[key],
                    kind=PartKind.TOOL_CALL,
                    choice=self.choice,
                    call_id=text_in(call, "id") or f"call_{self.choice}_{len(self.calls) - 1}",
                    name=text_in(function, "name"),
                )
            )
        part = self.calls[key]
        for of, said in (call.get("extra_content") or {}).items():
            signature = text_in(said, "thought_signature")
            if signature:
                found.append(Opaque(index=part, value=signature, of=of, choice=self.choice))
        arguments = text_in(function, "arguments")
        if arguments:
            found.append(Delta(index=part, text=arguments, choice=self.choice))
