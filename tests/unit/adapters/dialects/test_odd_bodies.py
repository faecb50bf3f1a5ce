"""Whatever is sent is understood or refused; nothing else happens."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.dialect import Dialect
from adapters.dialects.openai_chat.dialect import OpenAIChat
from domain.inference.conversation.parts import Text
from domain.inference.conversation.request import FunctionTool, GenerationRequest, Role, Turn
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import InvalidError
from tests.fakes.full_bodies import (
    ANTHROPIC_ANSWER,
    ANTHROPIC_BODY,
    ANTHROPIC_STREAM,
    OPENAI_ANSWER,
    OPENAI_BODY,
    OPENAI_STREAM,
)
from tests.fakes.openai_wire import a_model

OPENAI, ANTHROPIC = OpenAIChat(), Anthropic()
ASKED = GenerationRequest(
    dialect="openai",
    model="large",
    turns=(Turn(role=Role.USER, parts=(Text(text="x"),)),),
    include_usage=True,
)
ODD = [None, True, 0, -1, 1.5, "", "text", [], [None], ["x"], {}, {"type": "text"}]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside this one."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    found = [path] if path else []
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    key, rest = path[0], path[1:]
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = changed(copy[key], rest, new)
    return copy


def spoilt(body: Any) -> Iterator[Any]:
    """The body with something odd in each of its places."""
    for path in places(body):
        for odd in ODD:
            yield changed(body, path, odd)


@pytest.mark.parametrize(
    ("dialect", "body"),
    [(OPENAI, OPENAI_BODY), (ANTHROPIC, ANTHROPIC_BODY)],
    ids=["openai", "anthropic"],
)
def test_odd_requests_are_understood_or_refused(dialect: Dialect, body: Any) -> None:
    for odd in spoilt(body):
        with suppress(InvalidError):
            request = dialect.read_request(msgspec.json.encode(odd))
            for other in (OPENAI, ANTHROPIC):
                with suppress(InvalidError):
                    other.write_request(request, a_model(cache_control=True))


@pytest.mark.parametrize(
    ("dialect", "body"),
    [(OPENAI, OPENAI_ANSWER), (ANTHROPIC, ANTHROPIC_ANSWER)],
    ids=["openai", "anthropic"],
)
def test_odd_answers_are_understood_or_have_failed(dialect: Dialect, body: Any) -> None:
    for odd in spoilt(body):
        with suppress(ProviderFailedError):
            answer = dialect.read_answer(msgspec.json.encode(odd))
            for other in (OPENAI, ANTHROPIC):
                other.write_answer(answer, ASKED)


def events_of(stream: list[bytes]) -> list[Any]:
    return [msgspec.json.decode(one.partition(b"data: ")[2]) for one in stream]


@pytest.mark.parametrize(
    ("dialect", "stream"),
    [(OPENAI, OPENAI_STREAM), (ANTHROPIC, ANTHROPIC_STREAM)],
    ids=["openai", "anthropic"],
)
def test_odd_streams_are_understood_or_have_failed(dialect: Dialect, stream: list[bytes]) -> None:
    for events in spoilt(events_of(stream)):
        reader = dialect.stream_reader()
        writers = [other.stream_writer(ASKED) for other in (OPENAI, ANTHROPIC)]

        with suppress(ProviderFailedError):
            for event in events:
                found = reader.feed(b"data: " + msgspec.json.encode(event) + b"\n\n")
                assert all(isinstance(getattr(one, "text", ""), str) for one in found)
                for writer in writers:
                    writer.write(found)
            reader.end()
        for writer in writers:
            writer.end()


NESTED = b'[{"type":"tool_result","tool_use_id":"x","content":'
DEEP: dict[str, tuple[Dialect, bytes]] = {
    "results in results": (ANTHROPIC, NESTED * 250 + b'"x"' + b"}]" * 250),
    "an array": (ANTHROPIC, b"[" * 960 + b"]" * 960),
    "an array for OpenAI": (OPENAI, b"[" * 960 + b"]" * 960),
}


@pytest.mark.parametrize("name", DEEP)
def test_what_is_nested_too_deeply_is_refused(name: str) -> None:
    dialect, content = DEEP[name]
    body = b'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":%b}]}' % content

    with pytest.raises(InvalidError):
        dialect.read_request(body)


def test_what_can_be_read_but_not_written_is_refused() -> None:
    deep: Any = 1
    for _ in range(2000):
        deep = [deep]
    asked = replace(ASKED, tools=(FunctionTool(name="f", parameters={"x": deep}),))

    with pytest.raises(InvalidError, match="nested"):
        OPENAI.write_request(asked, a_model())


@pytest.mark.parametrize("dialect", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
@given(data=st.binary(max_size=80))
def test_bytes_of_any_kind_are_no_stream(dialect: Dialect, data: bytes) -> None:
    reader = dialect.stream_reader()

    with suppress(ProviderFailedError):
        reader.feed(data + b"\n\n")

    with pytest.raises(ProviderFailedError):
        reader.end()
