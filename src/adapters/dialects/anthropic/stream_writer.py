"""Events as Anthropic's stream events."""

from collections.abc import Iterable

from adapters.dialects.anthropic.block_stream import BlockStream, event_of
from adapters.dialects.anthropic.usage import write_usage
from adapters.dialects.anthropic.words import STOP_REASONS
from adapters.dialects.dialect import StreamWriter
from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.events import Measured, Started, Stopped, StreamEvent
from domain.inference.conversation.request import GenerationRequest, JsonObject
from domain.shared.usage import Usage


class AnthropicWriter(StreamWriter):
    """The first of the choices; this format has no others.

    The beginning tells of the usage as far as it is known then, which for most providers is not at
    all; the end tells of all of it.
    """

    def __init__(self, request: GenerationRequest) -> None:
        self._request = request
        self._blocks = BlockStream()
        self._starting: Started | None = None
        self._usage = Usage()
        self._stopped = Stopped(reason=StopReason.END)

    def write(self, events: Iterable[StreamEvent]) -> bytes:
        said: list[bytes] = []
        for event in events:
            match event:
                case Started():
                    self._starting = event
                case Measured():
                    self._usage = event.usage
                case Stopped(choice=0):
                    self._stopped = event
                case Stopped():
                    pass
                case _ if event.choice == 0:
                    said.append(self._start())
                    said.append(self._blocks.write(event))
        return b"".join([*said, self._start()])

    def end(self) -> bytes:
        delta = {
            "stop_reason": STOP_REASONS[self._stopped.reason],
            "stop_sequence": self._stopped.stop_sequence,
        }
        usage = write_usage(self._usage)
        last = event_of("message_delta", {"delta": delta, "usage": usage})
        return self._start() + last + event_of("message_stop", {})

    def _start(self) -> bytes:
        starting, self._starting = self._starting, None
        if starting is None:
            return b""
        message: JsonObject = {
            "id": starting.id,
            "type": "message",
            "role": "assistant",
            "model": self._request.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(self._usage),
        }
        return event_of("message_start", {"message": message})
