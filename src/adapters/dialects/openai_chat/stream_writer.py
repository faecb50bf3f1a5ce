"""Events as chunks of OpenAI's chat."""

from collections.abc import Iterable

import msgspec

from adapters.dialects.dialect import StreamWriter
from adapters.dialects.openai_chat.parts import write_call, write_images, write_signature
from adapters.dialects.openai_chat.read_request import LEGACY_TOOLS
from adapters.dialects.openai_chat.sound import write_sound
from adapters.dialects.openai_chat.thinking import write_detail, write_thinking
from adapters.dialects.openai_chat.usage import write_usage
from adapters.dialects.openai_chat.words import FINISH_REASONS
from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.events import (
    Delta,
    Measured,
    Opaque,
    PartKind,
    PartStarted,
    Started,
    Stopped,
    StreamEvent,
    WholePart,
)
from domain.inference.conversation.parts import (
    Audio,
    Image,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
)
from domain.inference.conversation.request import GenerationRequest, JsonObject
from domain.shared.usage import Usage

_DONE = b"data: [DONE]\n\n"
_MEMBERS = {
    PartKind.TEXT: "content",
    PartKind.THINKING: "reasoning_content",
    PartKind.REFUSAL: "refusal",
}


class OpenAIChatWriter(StreamWriter):
    """Text of several parts runs together, as in the format itself."""

    def __init__(self, request: GenerationRequest) -> None:
        self._request = request
        self._legacy = LEGACY_TOOLS in request.extras
        self._head: JsonObject = {}
        self._kinds: dict[tuple[int, int], PartKind] = {}
        self._calls: dict[tuple[int, int], int] = {}
        self._images: dict[int, int] = {}
        self._usage: Usage | None = None

    def write(self, events: Iterable[StreamEvent]) -> bytes:
        return b"".join(chunk for event in events for chunk in self._chunks(event))

    def end(self) -> bytes:
        if self._usage is None or not self._request.include_usage:
            return _DONE
        usage = {"choices": [], "usage": write_usage(self._usage)}
        return _event(self._head | usage) + _DONE

    def _chunks(self, event: StreamEvent) -> list[bytes]:
        match event:
            case Started():
                return self._start(event)
            case Stopped():
                return [self._stop(event)]
            case Measured():
                self._usage = event.usage
                return []
        return self._of_part(event)

    def _of_part(self, event: StreamEvent) -> list[bytes]:
        match event:
            case PartStarted():
                return self._open(event)
            case Delta():
                return self._more(event)
            case Opaque():
                return self._opaque(event)
            case WholePart():
                return self._whole(event)
        return []

    def _start(self, event: Started) -> list[bytes]:
        self._head = {
            "id": event.id,
            "object": "chat.completion.chunk",
            "created": event.created or 0,
            "model": self._request.model,
        }
        opening = {"role": "assistant", "content": "", "refusal": None}
        return [self._chunk(choice, opening) for choice in range(self._request.choices)]

    def _stop(self, event: Stopped) -> bytes:
        finish = FINISH_REASONS[event.reason]
        if self._legacy and event.reason is StopReason.TOOL_CALLS:
            finish = "function_call"
        return self._chunk(event.choice, {}, finish=finish)

    def _open(self, event: PartStarted) -> list[bytes]:
        place = event.choice, event.index
        self._kinds[place] = event.kind
        if event.kind is not PartKind.TOOL_CALL:
            return []
        self._calls[place] = sum(choice == event.choice for choice, _ in self._calls)
        call = ToolCall(id=event.call_id, name=event.name, arguments="")
        return self._call(place, write_call(call))

    def _more(self, event: Delta) -> list[bytes]:
        place = event.choice, event.index
        kind = self._kinds[place]
        if kind is PartKind.TOOL_CALL:
            return self._call(place, {"function": {"arguments": event.text}})
        return [self._chunk(event.choice, {_MEMBERS[kind]: event.text}, logprobs=event.logprobs)]

    def _opaque(self, event: Opaque) -> list[bytes]:
        place = event.choice, event.index
        if self._kinds[place] is PartKind.TOOL_CALL:
            # Official clients take every piece of a call for one of its function.
            piece = {"function": {"arguments": ""}}
            return self._call(place, piece | write_signature(event.of, event.value))
        thought = Thinking(
            opaque=event.value, opaque_of=event.of or None, is_redacted=event.is_redacted
        )
        detail = write_detail(thought, event.index)
        return [self._chunk(event.choice, {"reasoning_details": [detail]})]

    def _whole(self, event: WholePart) -> list[bytes]:
        place = event.choice, event.index
        if isinstance(event.part, ToolCall):
            self._calls[place] = sum(choice == event.choice for choice, _ in self._calls)
            return self._call(place, write_call(event.part))
        if isinstance(event.part, Image):
            first = self._images.get(event.choice, 0)
            self._images[event.choice] = first + 1
            images = write_images([event.part], f"choices[{event.choice}]", first)
            return [self._chunk(event.choice, images)]
        if isinstance(event.part, Audio):
            sound = write_sound([event.part], expires_at=self._head["created"])
            return [self._chunk(event.choice, sound)]
        delta = _whole(event.part)
        return [self._chunk(event.choice, delta)] if delta else []

    def _call(self, place: tuple[int, int], said: JsonObject) -> list[bytes]:
        index = self._calls[place]
        if not self._legacy:
            return [self._chunk(place[0], {"tool_calls": [{"index": index} | said]})]
        if index or "function" not in said:
            # This form has one call.
            return []
        return [self._chunk(place[0], {"function_call": said["function"]})]

    def _chunk(
        self,
        choice: int,
        delta: JsonObject,
        *,
        finish: str | None = None,
        logprobs: JsonObject | None = None,
    ) -> bytes:
        said = {"index": choice, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        chunk = self._head | {"choices": [said]}
        if self._request.include_usage:
            chunk["usage"] = None
        return _event(chunk)


def _whole(part: Part) -> JsonObject:
    """Parts that this format does not have say nothing in it."""
    match part:
        case Text():
            return {"content": part.text}
        case Refusal():
            return {"refusal": part.text}
        case Thinking():
            return write_thinking([part])
    return {}


def _event(chunk: JsonObject) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
