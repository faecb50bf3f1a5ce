"""What a guarded stream says is what the guarded text would say in one piece, in every format."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.dialect import Dialect
from adapters.dialects.guarding.formats import DialectContentFormats
from adapters.dialects.openai_chat.dialect import OpenAIChat
from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from application.inference.guarding.ports import Channel
from application.inference.ports import Operation
from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
from domain.inference.conversation.events import (
    Delta,
    Measured,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    Stopped,
    StreamEvent,
)
from domain.inference.conversation.parts import Part, Text, ToolCall
from domain.inference.conversation.request import GenerationRequest
from domain.inference.errors import ProviderFailedError
from domain.inference.guardrails.channel import JsonChannel, TextChannel
from domain.inference.guardrails.finding import Finding
from domain.inference.guardrails.screen import screen_of
from domain.shared.usage import Usage
from tests.fixtures.streamed import answer_of

SCREEN = screen_of(("email", "credit_card"), ())
FORMATS = DialectContentFormats()
DIALECTS: dict[Operation, Dialect] = {
    Operation.CHAT: OpenAIChat(),
    Operation.MESSAGES: Anthropic(),
    Operation.RESPONSES: OpenAIResponsesDialect(),
}
WORDS = st.lists(
    st.sampled_from(
        ["write to ann@example.com", "4111 1111 1111 1111", " ", ", ", "hello", "@", "a.b", "語"]
    ),
    min_size=1,
    max_size=6,
).map("".join)


class Seen:
    def __init__(self) -> None:
        self.found: Counter[str] = Counter()

    def opens(self, is_json: bool) -> Channel:
        return (JsonChannel if is_json else TextChannel)(SCREEN, self._replaces)

    def repeats(self, is_json: bool) -> Channel:
        return (JsonChannel if is_json else TextChannel)(SCREEN, lambda _: True)

    def _replaces(self, finding: Finding) -> bool:
        self.found[finding.rule] += 1
        return True


def redacted(seen: Seen, text: str, *, is_json: bool = False) -> str:
    channel = seen.opens(is_json)
    return channel.feed(text) + channel.end()


def a_stream(parts: list[Part], pieces: int) -> list[StreamEvent]:
    events: list[StreamEvent] = [Started(id="x1", model="m", created=1)]
    for index, part in enumerate(parts):
        text = part.text if isinstance(part, Text) else part.arguments  # type: ignore[union-attr] # only those
        if isinstance(part, ToolCall):
            events.append(
                PartStarted(index=index, kind=PartKind.TOOL_CALL, call_id=part.id, name=part.name)
            )
        else:
            events.append(PartStarted(index=index, kind=PartKind.TEXT))
        size = max(1, len(text) // pieces)
        events += [
            Delta(index=index, text=text[at : at + size]) for at in range(0, len(text), size)
        ]
        events.append(PartEnded(index=index))
    called = any(isinstance(part, ToolCall) for part in parts)
    events.append(Stopped(reason=StopReason.TOOL_CALLS if called else StopReason.END))
    events.append(Measured(usage=Usage(prompt_tokens=1, completion_tokens=1)))
    return events


def written(dialect: Dialect, events: list[StreamEvent]) -> list[bytes]:
    request = GenerationRequest(dialect=dialect.name, model="m", turns=())
    writer = dialect.stream_writer(request)
    return [block for block in (*(writer.write([one]) for one in events), writer.end()) if block]


def read(dialect: Dialect, blocks: list[bytes]) -> GenerationAnswer:
    reader = dialect.stream_reader()
    events = [event for block in blocks for event in reader.feed(block)]
    return answer_of([*events, *reader.end()])


def said(answer: GenerationAnswer) -> list[str]:
    choice: Choice = answer.choices[0]
    return [
        part.text if isinstance(part, Text) else part.arguments
        for part in choice.parts
        if isinstance(part, Text | ToolCall)
    ]


@pytest.mark.parametrize("operation", DIALECTS)
@pytest.mark.parametrize("holds_end", [False, True])
@settings(max_examples=40)
@given(text=WORDS, to=WORDS, pieces=st.integers(1, 40))
def test_a_stream_says_what_the_whole_would(
    operation: Operation, text: str, to: str, pieces: int, *, holds_end: bool
) -> None:
    dialect = DIALECTS[operation]
    arguments = '{"to":"' + to + '","n":4111111111111111}'
    parts: list[Part] = [Text(text=text), ToolCall(id="call_1", name="send", arguments=arguments)]
    seen = Seen()
    stream = FORMATS.stream(operation, seen.opens, seen.repeats, holds_end=holds_end)
    blocks = written(dialect, a_stream(parts, pieces))

    shown = [*(stream.feed(block) for block in blocks), stream.end()]

    whole = Seen()
    wanted = [redacted(whole, text), redacted(whole, arguments, is_json=True)]
    assert said(read(dialect, [block for block in shown if block])) == wanted
    assert seen.found == whole.found


@pytest.mark.parametrize("operation", DIALECTS)
def test_a_stream_that_is_cut_ends_as_filtered(operation: Operation) -> None:
    dialect = DIALECTS[operation]
    stream = FORMATS.stream(operation, Seen().opens, Seen().repeats, holds_end=False)
    blocks = written(dialect, a_stream([Text(text="a text that is cut off somewhere")], 6))

    shown = [*(stream.feed(block) for block in blocks[:4]), stream.cut() or b""]

    answer = read(dialect, [block for block in shown if block])
    assert answer.choices[0].stop in (StopReason.FILTERED, StopReason.REFUSED)


@pytest.mark.parametrize("operation", DIALECTS)
def test_texts_are_heard_only_where_the_end_waits_for_them(operation: Operation) -> None:
    stream = FORMATS.stream(operation, Seen().opens, Seen().repeats, holds_end=True)
    blocks = written(DIALECTS[operation], a_stream([Text(text='{"a": 1}')], 3))

    shown = b"".join(stream.feed(block) for block in blocks)

    ending = stream.end()
    assert stream.texts == ['{"a": 1}']
    assert not any(word in shown for word in (b"[DONE]", b"message_stop", b"response.completed"))
    assert any(word in ending for word in (b"[DONE]", b"message_stop", b"response.completed"))


def piece(**delta: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def call(number: int, arguments: str) -> bytes:
    return piece(tool_calls=[{"index": number, "function": {"arguments": arguments}}])


def over_chats(*blocks: bytes) -> str:
    stream = FORMATS.stream(Operation.CHAT, Seen().opens, Seen().repeats, holds_end=False)
    return b"".join([*map(stream.feed, blocks), stream.end()]).decode()


@pytest.mark.parametrize(
    "blocks",
    [
        [
            piece(function_call={"arguments": '{"a":"ann@exam'}),
            piece(function_call={"arguments": 'ple.com"}'}),
        ],
        [
            piece(reasoning_details=[{"type": "reasoning.text", "text": t}])
            for t in ("ann@exam", "ple.com")
        ],
        [piece(content=[{"type": "text", "text": t}]) for t in ("ann@exam", "ple.com")],
        [piece(audio={"transcript": t}) for t in ("ann@exam", "ple.com")],
        [piece(tool_calls=[{"index": 0, "custom": {"input": t}}]) for t in ("ann@exam", "ple.com")],
        [call(0, '"ann@exam'), call(1, '"bob@exam'), call(0, 'ple.com"'), call(1, 'ple.com"')],
        [piece(annotations=[{"url_citation": {"title": "ann@example.com"}}])],
        [b'data: {"choices":[],"search_results":[{"title":"ann@example.com"}]}\n\n'],
        [b'data: {"choices":[{"delta":{},"message":{"content":"ann@exam"}}]}\n\n'],
        [b'data: {"choices":[{"delta":{"content":"ann@example.com \\ud83d"}}]}\n\n'],
    ],
)
def test_nothing_that_upstreams_add_goes_by(blocks: list[bytes]) -> None:
    shown = over_chats(*blocks)

    assert "ann@" not in shown
    assert "bob@" not in shown


def test_more_of_a_text_is_written_where_it_was() -> None:
    shown = over_chats(
        piece(reasoning_details=[{"index": 3, "type": "reasoning.text", "text": "ann@example.com"}])
    )

    last = json.loads(shown.strip().rpartition("data: ")[2])
    detail = {"index": 3, "type": "reasoning.text", "text": "[EMAIL]"}
    assert last["choices"][0]["delta"] == {"reasoning_details": [detail]}


@pytest.mark.parametrize("data", [b"ann@example.com", b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}"])
def test_an_event_that_cannot_be_looked_at_ends_the_stream(data: bytes) -> None:
    with pytest.raises(ProviderFailedError):
        over_chats(b"data: " + data + b"\n\n")


@pytest.mark.parametrize(
    "event",
    [
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "input": {"to": "ann@example.com"}},
        },
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {
                "type": "web_search_tool_result",
                "content": [{"title": "ann@example.com"}],
            },
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "citations_delta", "citation": {"cited_text": "ann@example.com"}},
        },
        {"type": "message_start", "message": {"content": [{"text": "ann@example.com"}]}},
    ],
)
def test_whole_texts_in_the_events_of_messages_are_looked_at(event: dict[str, object]) -> None:
    stream = FORMATS.stream(Operation.MESSAGES, Seen().opens, Seen().repeats, holds_end=False)

    shown = stream.feed(b"data: " + json.dumps(event).encode() + b"\n\n")

    assert json.loads(shown.partition(b"data: ")[2]) == json.loads(
        json.dumps(event).replace("ann@example.com", "[EMAIL]")
    )


def test_transcripts_are_looked_at_piece_by_piece() -> None:
    stream = FORMATS.stream(Operation.TRANSCRIPTION, Seen().opens, Seen().repeats, holds_end=False)
    events: list[dict[str, object]] = [
        {"type": "transcript.text.delta", "delta": "to ann@exam", "logprobs": [{"token": "ann"}]},
        {"type": "transcript.text.delta", "delta": "ple.com"},
        {"type": "transcript.text.done", "text": "to ann@example.com", "usage": {"seconds": 3}},
    ]

    shown = b"".join(
        stream.feed(b"data: " + json.dumps(event).encode() + b"\n\n") for event in events
    )

    told = [json.loads(line[6:]) for line in shown.split(b"\n") if line.startswith(b"data: ")]
    said = "".join(event.get("delta", "") for event in told)
    assert said == told[-1]["text"] == "to [EMAIL]"
    assert b"ann" not in shown
    assert not any("sequence_number" in event for event in told)
    assert stream.cut() is None


def test_an_event_without_words_goes_on_as_it_came() -> None:
    event = b'event: error\ndata: {"error": {"message": "It broke."}}\n\n'

    assert over_chats(event).encode() == event
