from collections.abc import Iterable

import msgspec

from adapters.dialects.dialect import StreamWriter
from adapters.dialects.openai_responses.answers import finish, shows_summary
from adapters.dialects.openai_responses.response_object import response_object
from adapters.dialects.openai_responses.usage import write_usage
from adapters.dialects.openai_responses.written_items import WrittenItems
from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.events import (
    Delta,
    Measured,
    Opaque,
    PartEnded,
    PartStarted,
    Started,
    Stopped,
    StreamEvent,
    WholePart,
)
from domain.inference.conversation.request import GenerationRequest, JsonObject
from domain.shared.usage import Usage


def sse(event: JsonObject) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event))


class ResponsesStreamWriter(StreamWriter):
    """Numbers its events from 0, and says at the end all that was said before."""

    def __init__(self, request: GenerationRequest) -> None:
        self._request = request
        self._items = WrittenItems("", (), shows_summary=shows_summary(request))
        self._response = response_object("", None, request)
        self._stop = StopReason.END
        self._usage: Usage | None = None
        self._number = 0

    def write(self, events: Iterable[StreamEvent]) -> bytes:
        return b"".join(
            self._numbered(written) for event in events for written in self._write(event)
        )

    def end(self) -> bytes:
        response = self._response
        finish(response, self._stop, says_refusal=self._items.says_refusal)
        closed = list(self._items.close(response["status"]))
        response["output"] = self._items.output
        response["usage"] = write_usage(self._usage)
        kind = "completed" if response["status"] == "completed" else "incomplete"
        last = {"type": f"response.{kind}", "response": response}
        return b"".join(map(self._numbered, [*closed, last]))

    def _write(self, event: StreamEvent) -> Iterable[JsonObject]:
        match event:
            case Started():
                return self._begin(event)
            case Stopped(choice=0):
                self._stop = event.reason
            case Measured():
                self._usage = event.usage
            case PartStarted(choice=0) | WholePart(choice=0):
                return self._items.start(event)
            case Delta(choice=0) | Opaque(choice=0):
                return self._items.add(event)
            case PartEnded(choice=0):
                return self._items.end(event.index)
        return ()

    def _begin(self, event: Started) -> Iterable[JsonObject]:
        self._response = response_object(event.id, event.created, self._request)
        shows = shows_summary(self._request)
        self._items = WrittenItems(event.id, self._request.tools, shows_summary=shows)
        for kind in ("response.created", "response.in_progress"):
            yield {"type": kind, "response": self._response}

    def _numbered(self, event: JsonObject) -> bytes:
        numbered = {"type": event["type"], "sequence_number": self._number} | event
        self._number += 1
        return sse(numbered)
