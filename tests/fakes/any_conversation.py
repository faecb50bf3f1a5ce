"""Conversations of all kinds, for properties of dialects."""

import base64
from typing import Any

from hypothesis import strategies as st

from domain.inference.conversation.answer import Choice, GenerationAnswer, StopReason
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
from domain.inference.conversation.parts import (
    File,
    Image,
    Inline,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from domain.inference.conversation.request import (
    FunctionTool,
    JsonObject,
    OutputFormat,
    OutputKind,
    Role,
    Tool,
    ToolChoice,
    ToolMode,
    Turn,
)
from domain.shared.usage import Usage

WORDS = st.text('abcdefg é{}"\\\n<>&日本', min_size=1, max_size=12).filter(str.strip)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,11}", fullmatch=True)
CACHE = st.sampled_from([None, "5m", "1h"])
UNIT = st.sampled_from([0.0, 0.25, 0.5, 1.0])
SCHEMAS: st.SearchStrategy[JsonObject] = st.sampled_from(
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    ]
)
_DATA = st.binary(min_size=1, max_size=9).map(lambda data: base64.b64encode(data).decode())
_URLS = st.builds(Url, url=st.sampled_from(["https://example.com/a", "https://example.com/b.pdf"]))

texts = st.builds(Text, text=WORDS, cache=CACHE)
images = st.builds(
    Image,
    source=st.builds(Inline, media_type=st.sampled_from(["image/png", "image/webp"]), data=_DATA)
    | _URLS,
    cache=CACHE,
)
documents = st.builds(
    File,
    source=st.builds(Inline, media_type=st.just("application/pdf"), data=_DATA) | _URLS,
    name=st.none() | NAMES,
    cache=CACHE,
)
refusals = st.builds(Refusal, text=WORDS)
unsigned = st.builds(Thinking, text=WORDS)


def signed(of: str) -> st.SearchStrategy[Thinking]:
    return st.builds(Thinking, text=WORDS, opaque=NAMES, opaque_of=st.just(of))


def redacted(of: str) -> st.SearchStrategy[Thinking]:
    return st.builds(Thinking, opaque=NAMES, opaque_of=st.just(of), is_redacted=st.just(True))


calls = st.builds(
    ToolCall,
    id=NAMES,
    name=NAMES,
    arguments=st.sampled_from(["{}", '{"a":1}', '{"city":"Łódź"}']),
)


def results(*, images_too: bool = False, errors: bool = False) -> st.SearchStrategy[ToolResult]:
    return st.builds(
        ToolResult,
        call_id=NAMES,
        parts=st.lists(texts | images if images_too else texts, max_size=2).map(tuple),
        is_error=st.booleans() if errors else st.just(False),
        cache=CACHE,
    )


def lists(parts: st.SearchStrategy[Any], least: int = 0, most: int = 3) -> Any:
    return st.lists(parts, min_size=least, max_size=most).map(tuple)


def conversations(
    asked: st.SearchStrategy[Part],
    thoughts: st.SearchStrategy[Thinking] | None,
    said: st.SearchStrategy[Part],
    given: st.SearchStrategy[ToolResult],
) -> st.SearchStrategy[tuple[Turn, ...]]:
    """A system's word, and rounds of asking, saying, calling and giving back."""

    @st.composite
    def turns(draw: st.DrawFn) -> tuple[Turn, ...]:
        found = [Turn(role=Role.SYSTEM, parts=one) for one in draw(lists(lists(texts, 1), 0, 1))]
        for _ in range(draw(st.integers(1, 2))):
            found.append(Turn(role=Role.USER, parts=draw(lists(asked, 1))))
            made = draw(lists(calls))
            thought = () if thoughts is None else draw(lists(thoughts, 0, 1))
            spoken = thought + draw(lists(said, 0 if made else 1, 1)) + made
            found.append(Turn(role=Role.ASSISTANT, parts=spoken))
            if made:
                found.append(Turn(role=Role.TOOL, parts=draw(lists(given, 1))))
        found.append(Turn(role=Role.USER, parts=draw(lists(asked, 1))))
        return tuple(found)

    return turns()


def tools(strict: st.SearchStrategy[bool | None]) -> st.SearchStrategy[tuple[Tool, ...]]:
    one = st.builds(
        FunctionTool,
        name=NAMES,
        description=st.none() | WORDS,
        parameters=SCHEMAS,
        strict=strict,
        cache=CACHE,
    )
    return lists(one, 1)  # type: ignore[no-any-return]  # `lists` is one for all kinds


tool_choices = (
    st.none()
    | st.builds(ToolChoice, mode=st.sampled_from([ToolMode.AUTO, ToolMode.NONE, ToolMode.REQUIRED]))
    | st.builds(ToolChoice, mode=st.just(ToolMode.NAMED), name=NAMES)
)

json_schemas = st.builds(
    OutputFormat,
    kind=st.just(OutputKind.JSON_SCHEMA),
    name=NAMES,
    schema=SCHEMAS,
    strict=st.none() | st.booleans(),
    description=st.none() | WORDS,
)

_COUNTS = st.integers(0, 1000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    cached, written, fresh = draw(_COUNTS), draw(_COUNTS), draw(_COUNTS)
    thought, said = draw(_COUNTS), draw(_COUNTS)
    return Usage(
        prompt_tokens=cached + written + fresh,
        cached_tokens=cached,
        cache_write_tokens=written,
        completion_tokens=thought + said,
        reasoning_tokens=thought,
    )


def answers(
    thoughts: st.SearchStrategy[Thinking],
    said: st.SearchStrategy[Part],
    stops: st.SearchStrategy[StopReason],
    *,
    choices: int = 1,
) -> st.SearchStrategy[GenerationAnswer]:
    @st.composite
    def choice(draw: st.DrawFn) -> Choice:
        parts = draw(lists(thoughts, 0, 2)) + draw(lists(said, 0, 1)) + draw(lists(calls))
        called = any(isinstance(part, ToolCall) for part in parts)
        return Choice(parts=parts, stop=StopReason.TOOL_CALLS if called else draw(stops))

    return st.builds(
        GenerationAnswer,
        id=NAMES,
        model=st.just("large"),
        choices=lists(choice(), choices, choices),
        usage=usages(),
    )


def events_of(answer: GenerationAnswer) -> list[StreamEvent]:
    """The answer as a stream of one event for each thing that it has."""
    events: list[StreamEvent] = [Started(id=answer.id, model=answer.model)]
    for choice, said in enumerate(answer.choices):
        for index, part in enumerate(said.parts):
            events += _events_of_part(part, index, choice)
        events.append(Stopped(reason=said.stop, choice=choice, stop_sequence=said.stop_sequence))
    if answer.usage is not None:
        events.append(Measured(usage=answer.usage))
    return events


def _events_of_part(part: Part, index: int, choice: int) -> list[StreamEvent]:
    place: dict[str, Any] = {"index": index, "choice": choice}
    kind, text, name, call_id = PartKind.TEXT, "", "", ""
    opaque: tuple[str | None, str | None] = (None, None)
    match part:
        case Text():
            text = part.text
        case Refusal():
            kind, text = PartKind.REFUSAL, part.text
        case Thinking():
            kind, text, opaque = PartKind.THINKING, part.text, (part.opaque, part.opaque_of)
        case ToolCall():
            kind, text, name, call_id = PartKind.TOOL_CALL, part.arguments, part.name, part.id
        case _:
            return [WholePart(index=index, part=part, choice=choice)]
    events: list[StreamEvent] = [PartStarted(kind=kind, call_id=call_id, name=name, **place)]
    if text:
        events.append(Delta(text=text, **place))
    if opaque[0] is not None:
        redacted = isinstance(part, Thinking) and part.is_redacted
        events.append(Opaque(value=opaque[0], of=opaque[1] or "", is_redacted=redacted, **place))
    return [*events, PartEnded(**place)]
