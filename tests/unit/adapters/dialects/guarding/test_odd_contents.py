"""Whatever goes through guardrails is looked at or refused; nothing else happens."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest

from adapters.dialects.guarding.formats import DialectContentFormats
from application.inference.guarding.ports import Channel
from application.inference.ports import Operation
from domain.inference.errors import ProviderFailedError
from tests.fakes.full_bodies import (
    ANTHROPIC_BODY,
    ANTHROPIC_STREAM,
    OPENAI_BODY,
    OPENAI_STREAM,
)
from tests.fakes.guarding import UnchangedChannel
from tests.unit.adapters.dialects.test_odd_bodies import ODD, changed, events_of, places, spoilt

FORMATS = DialectContentFormats()
RESPONSE_STREAM = [
    {"type": "response.created", "response": {"id": "resp_1", "output": []}},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message"}},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "a"},
    {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "a"},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{}"},
    {"type": "response.completed", "response": {"output": [{"type": "message", "content": []}]}},
]


def opens(_: bool) -> Channel:
    return UnchangedChannel()


@pytest.mark.parametrize(
    ("operation", "body"),
    [(Operation.CHAT, OPENAI_BODY), (Operation.MESSAGES, ANTHROPIC_BODY)],
    ids=["chat", "messages"],
)
def test_odd_requests_are_looked_at(operation: Operation, body: Any) -> None:
    for path in places(body):
        for odd in ODD:
            given = msgspec.json.encode(changed(body, path, odd))

            seen = FORMATS.request(operation, given, opens)

            assert msgspec.json.decode(seen) == msgspec.json.decode(given)


@pytest.mark.parametrize("holds_end", [True, False])
@pytest.mark.parametrize(
    ("operation", "events"),
    [
        (Operation.CHAT, events_of(OPENAI_STREAM)),
        (Operation.MESSAGES, events_of(ANTHROPIC_STREAM)),
        (Operation.RESPONSES, RESPONSE_STREAM),
        (Operation.IMAGE, RESPONSE_STREAM),
    ],
    ids=["chat", "messages", "responses", "typed"],
)
def test_odd_streams_are_looked_at_or_have_failed(
    operation: Operation, events: Any, *, holds_end: bool
) -> None:
    for odd in spoilt(events):
        stream = FORMATS.stream(operation, opens, opens, holds_end=holds_end)

        with suppress(ProviderFailedError):
            for event in odd:
                stream.feed(b"data: " + msgspec.json.encode(event) + b"\n\n")
            stream.end()
        stream.cut()
