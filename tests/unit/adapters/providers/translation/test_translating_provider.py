from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from adapters.dialects.dialect import DoorDialect, StreamWriter
from adapters.dialects.openai_chat.dialect import OpenAIChat
from adapters.providers.scripted.provider import ScriptedProvider
from adapters.providers.translation.provider import TranslatingProvider
from adapters.providers.translation.wire import WireGeneration
from application.inference.ports import Operation, ProviderRequest
from domain.inference.conversation.answer import GenerationAnswer
from domain.inference.conversation.events import Delta, Measured, Started, StreamEvent
from domain.inference.conversation.parts import Text
from domain.inference.conversation.request import GenerationRequest, Role, Turn
from domain.inference.errors import ProviderFailedError, UnsupportedByModelError
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError
from domain.shared.usage import Usage
from tests.fakes.clock import FrozenClock
from tests.fakes.ids import SequentialIds
from tests.fakes.openai_wire import a_model, a_request


class Plain(DoorDialect):
    """Asked with a bare text, answers with one, unless it is to be mute."""

    @property
    def name(self) -> str:
        return "plain"

    def read_request(self, body: bytes) -> GenerationRequest:
        turn = Turn(role=Role.USER, parts=(Text(text=body.decode()),))
        return GenerationRequest(dialect="plain", model="large", turns=(turn,))

    def write_answer(self, answer: GenerationAnswer, request: GenerationRequest) -> bytes:
        texts = [part.text for part in answer.choices[0].parts if isinstance(part, Text)]
        if texts == ["mute"]:
            raise UnsupportedByModelError("There is no word for it.", param="model")
        return f"{request.model} {answer.created}: {''.join(texts)}".encode()

    def stream_writer(self, request: GenerationRequest) -> StreamWriter:
        return PlainWriter()

    def write_error(self, error: StoaError) -> bytes:
        return error.message.encode()


class PlainWriter(StreamWriter):
    def write(self, events: Iterable[StreamEvent]) -> bytes:
        said = []
        for event in events:
            if isinstance(event, Started):
                said.append(f"<{event.created}>")
            elif isinstance(event, Delta):
                said.append(event.text)
            elif isinstance(event, Measured):
                said.append(f"[{event.usage.completion_tokens}]")
        return "".join(said).encode()

    def end(self) -> bytes:
        return b"."


def translating(native: ScriptedProvider) -> TranslatingProvider:
    return TranslatingProvider(
        native,
        speaks={Operation.CHAT},
        generation=WireGeneration(provider=native, operation=Operation.CHAT, dialect=OpenAIChat()),
        clock=FrozenClock(),
        ids=SequentialIds(),
        dialects={Operation.MESSAGES: Plain(), Operation.CHAT: OpenAIChat()},
    )


def plainly(body: bytes, model: ServedModel | None = None, **members: Any) -> ProviderRequest:
    return ProviderRequest(
        operation=Operation.MESSAGES,
        model=model or a_model(),
        body=body,
        correlation_id="c-1",
        **members,
    )


async def test_what_the_provider_speaks_passes_through() -> None:
    native = ScriptedProvider(name="acme")
    request = a_request()

    assert await translating(native).complete(request) == await native.complete(request)


async def test_another_format_is_answered_in_itself() -> None:
    answer = await translating(ScriptedProvider(name="acme")).complete(plainly(b"one two"))

    assert answer.body == b"large 1700000000: one two"
    assert answer.usage == Usage(prompt_tokens=2, completion_tokens=2)
    assert answer.finish_reason == "stop"
    assert answer.provider_request_id is not None


async def test_a_stream_is_translated_piece_by_piece() -> None:
    provider = translating(ScriptedProvider(name="acme"))

    stream = await provider.open_stream(plainly(b"one two", stream=True))
    blocks = [block async for block in stream]

    assert blocks == [b"<1700000000>", b"one", b" two", b"[2]", b"."]
    assert stream.report.usage == Usage(prompt_tokens=2, completion_tokens=2)
    assert stream.report.finish_reason == "stop"


async def test_a_stream_that_breaks_keeps_what_was_counted() -> None:
    model = a_model(reply="one two three", cut_after=2)

    stream = await translating(ScriptedProvider(name="acme")).open_stream(
        plainly(b"x", model, stream=True)
    )
    blocks = [await anext(aiter(stream)) for _ in range(3)]
    with pytest.raises(ProviderFailedError):
        await anext(aiter(stream))

    assert blocks[1:] == [b"one", b" two"]
    assert stream.report.usage == Usage(prompt_tokens=1, completion_tokens=2, counted=True)


async def test_closing_a_stream_ends_the_work_behind_it() -> None:
    native = ScriptedProvider(name="acme")
    stream = await translating(native).open_stream(
        plainly(b"x", a_model(reply="a b c", chunk_delay_ms=10_000), stream=True)
    )
    await anext(aiter(stream))
    assert native.in_flight == 1

    await stream.aclose()
    await stream.aclose()

    assert native.in_flight == 0


async def test_what_nobody_can_translate_is_refused_by_name() -> None:
    request = a_request(operation=Operation.RESPONSES)

    with pytest.raises(UnsupportedByModelError, match="responses"):
        await translating(ScriptedProvider(name="acme")).complete(request)


async def test_tokens_are_counted_by_estimate() -> None:
    request = ProviderRequest(
        operation=Operation.COUNT_TOKENS, model=a_model(), body=b"x" * 400, correlation_id="c"
    )

    answer = await translating(ScriptedProvider(name="acme")).complete(request)

    assert msgspec.json.decode(answer.body) == {"input_tokens": 104}
    assert answer.usage == Usage()


async def test_an_answer_that_cannot_be_told_is_paid_for_all_the_same() -> None:
    provider = translating(ScriptedProvider(name="acme"))
    asked = plainly(b"mute", a_model())

    with pytest.raises(UnsupportedByModelError) as caught:
        await provider.complete(asked)

    assert caught.value.spent is not None
    assert caught.value.spent.completion_tokens == 1
