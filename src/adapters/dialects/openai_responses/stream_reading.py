from collections.abc import Callable

import msgspec

from adapters.dialects.dialect import StreamReader
from adapters.dialects.events import EventReader, EventTooLargeError
from adapters.dialects.fields import NOT_JSON, Fields
from adapters.dialects.openai_responses.answers import read_stop
from adapters.dialects.openai_responses.failures import read_failure
from adapters.dialects.openai_responses.open_parts import OpenParts
from adapters.dialects.openai_responses.usage import read_usage
from domain.inference.conversation.events import Measured, Started, Stopped, StreamEvent
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import InvalidError

_DONE = b"[DONE]"
_STATUS = {"response.completed": "completed", "response.incomplete": "incomplete"}


class ResponsesStreamReader(StreamReader):
    """Whatever a server leaves out of the order of events is made up for, as long as its items can
    be told from each other."""

    def __init__(self) -> None:
        self._events = EventReader()
        self._parts = OpenParts()
        self._is_started = False
        self._is_over = False
        parts = self._parts
        self._readers: dict[str, Callable[[Fields], list[StreamEvent]]] = {
            "response.output_item.added": parts.item_added,
            "response.content_part.added": parts.content_added,
            "response.output_text.delta": parts.text_delta,
            "response.refusal.delta": parts.refusal_delta,
            "response.function_call_arguments.delta": parts.arguments_delta,
            "response.reasoning_summary_text.delta": parts.summary_delta,
            "response.reasoning_text.delta": parts.thought_delta,
            "response.content_part.done": parts.content_done,
            "response.output_item.done": parts.item_done,
        }

    def feed(self, data: bytes) -> list[StreamEvent]:
        try:
            events = self._events.feed(data)
        except EventTooLargeError as error:
            raise _no_stream() from error
        return [
            found
            for event in events
            if event.data != _DONE and not self._is_over
            for found in self._read(event.name, event.data)
        ]

    def end(self) -> list[StreamEvent]:
        if not self._is_over:
            raise ProviderFailedError("The provider ended its stream before the response.")
        return []

    def _read(self, name: str, data: bytes) -> list[StreamEvent]:
        try:
            fields = Fields(msgspec.json.decode(data))
            kind = fields.text("type") or name
            if kind == "error":
                raise read_failure(fields.peek("error") or fields.rest())
            if kind in _STATUS or kind == "response.failed":
                return self._ended(kind, fields)
            begun = self._begun(fields) if kind.startswith("response.") else []
            reader = self._readers.get(kind)
            return begun if reader is None else [*begun, *reader(fields)]
        except (*NOT_JSON, InvalidError) as error:
            if isinstance(error, InvalidError) and type(error) is not InvalidError:
                # It is what the provider said.
                raise
            raise _no_stream() from error

    def _begun(self, fields: Fields) -> list[StreamEvent]:
        if self._is_started:
            return []
        self._is_started = True
        response = fields.object("response") or Fields({})
        return [
            Started(
                id=response.text("id") or "",
                model=response.text("model") or "",
                created=response.integer("created_at"),
            )
        ]

    def _ended(self, kind: str, fields: Fields) -> list[StreamEvent]:
        self._is_over = True
        response = fields.object("response") or Fields({})
        error = response.raw("error")
        if error is not None or kind == "response.failed":
            raise read_failure(error)
        events = self._begun(Fields({"response": response.rest()}))
        # Items that were never told of stand in the response all the same.
        for index, item in enumerate(response.list("output") or ()):
            events += self._parts.item_done(Fields({"output_index": index, "item": item}))
        events += self._parts.close()
        said = self._parts.said
        events.append(Stopped(reason=read_stop(_STATUS[kind], response, said)))
        usage = read_usage(response.raw("usage"))
        return events if usage is None else [*events, Measured(usage=usage)]


def _no_stream() -> ProviderFailedError:
    return ProviderFailedError("The provider sent an event that is none of a response.")
