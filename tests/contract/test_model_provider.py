import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import msgspec
import pytest

from adapters.providers.azure_openai.configuration import AzureOpenAIProviderDefinition
from adapters.providers.definition import ProviderDefinition
from adapters.providers.mistral.configuration import MistralProviderDefinition
from adapters.providers.openai.configuration import OpenAIProviderDefinition
from adapters.providers.openai_compatible.configuration import OpenAICompatibleProviderDefinition
from adapters.providers.scripted.provider import ScriptedProvider
from adapters.providers.translation.chat import speaking_chat
from adapters.providers.transport.choice import TransportKind
from application.inference.ports import ModelProvider, Operation, ProviderRequest, ProviderStream
from domain.inference.errors import (
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderTimedOutError,
    ProviderUnreachableError,
)
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError, UpstreamError
from domain.shared.usage import Usage
from tests.fakes.anthropic_bench import AnthropicBench
from tests.fakes.bedrock_bench import BedrockBench
from tests.fakes.cohere_bench import CohereBench
from tests.fakes.gemini_bench import GeminiBench
from tests.fakes.ollama_bench import OllamaBench
from tests.fakes.openai_like_bench import OpenAILikeBench, surroundings
from tests.fakes.openai_wire import (
    PUBLIC_NAME,
    a_model,
    a_request,
)
from tests.fakes.upstream import (
    Upstream,
    running_upstream,
)
from tests.fixtures.patience import PATIENCE_S, until

SECRET = "sk-canary-0123456789"
USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
REPORTED = Usage(prompt_tokens=12, completion_tokens=3)


class Bench(Protocol):
    """A provider together with the means to make its other side behave."""

    provider: ModelProvider

    def says(self, *words: str) -> ServedModel: ...

    def fails(self, status: int) -> ServedModel: ...

    def hangs(self) -> ServedModel: ...

    def drips(self) -> ServedModel: ...

    def cuts_after(self, *words: str) -> ServedModel: ...

    def embeds(self) -> ServedModel: ...

    async def aborted(self) -> None:
        """Returns when the work of the last call has ended."""
        ...


class ScriptedBench(Bench):
    def __init__(self) -> None:
        self.scripted = ScriptedProvider(name="acme")
        self.provider = speaking_chat(self.scripted, surroundings())

    def says(self, *words: str) -> ServedModel:
        return a_model(reply="".join(words), usage=USAGE_OPTION)

    def fails(self, status: int) -> ServedModel:
        return a_model(fail_status=status)

    def hangs(self) -> ServedModel:
        return a_model(hang=True)

    def drips(self) -> ServedModel:
        return a_model(reply="one two three", chunk_delay_ms=10_000)

    def cuts_after(self, *words: str) -> ServedModel:
        return a_model(reply="".join([*words, " more"]), cut_after=len(words))

    def embeds(self) -> ServedModel:
        return a_model()

    async def aborted(self) -> None:
        while self.scripted.in_flight:
            await asyncio.sleep(0.005)


USAGE_OPTION = {"prompt_tokens": 12, "completion_tokens": 3}
MESSAGES: Any = {
    "operation": Operation.MESSAGES,
    "messages": [{"role": "user", "content": "hello there world"}],
    "max_tokens": 50,
}


OPENAI_LIKE: dict[str, Callable[..., ProviderDefinition]] = {
    "openai-compatible": OpenAICompatibleProviderDefinition,
    "openai": OpenAIProviderDefinition,
    "azure-openai": AzureOpenAIProviderDefinition,
    "mistral": MistralProviderDefinition,
}
REMOTE: dict[str, Callable[[Upstream, TransportKind], Bench]] = {
    **{
        name: partial(OpenAILikeBench, secret=SECRET, define=partial(define, name="acme"))
        for name, define in OPENAI_LIKE.items()
    },
    "anthropic": partial(AnthropicBench, secret=SECRET),
    "cohere": partial(CohereBench, secret=SECRET),
    "google": partial(GeminiBench, secret=SECRET),
    "ollama": partial(OllamaBench, secret=SECRET),
    "bedrock": partial(BedrockBench, secret=SECRET),
}


@pytest.fixture(
    params=["scripted", *(f"{name} {kind}" for name in REMOTE for kind in TransportKind)]
)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "scripted":
        scripted = ScriptedBench()
        yield scripted
        await scripted.provider.stop()
        return
    name, kind = request.param.split()
    async with running_upstream() as upstream:
        remote = REMOTE[name](upstream, TransportKind(kind))
        await remote.provider.start()
        yield remote
        await remote.provider.stop()


async def collect(provider: ModelProvider, request: ProviderRequest) -> list[bytes]:
    stream = await provider.open_stream(request)
    return [block async for block in stream]


async def drain(stream: ProviderStream, into: list[bytes]) -> None:
    async for block in stream:
        into.append(block)  # noqa: PERF401 - what came before a failure must be kept


def events(blocks: list[bytes]) -> list[dict[str, Any]]:
    lines = b"".join(blocks).split(b"\n\n")
    assert lines[-2:] == [b"data: [DONE]", b""]
    return [msgspec.json.decode(line.removeprefix(b"data: ")) for line in lines[:-2]]


def content(chunks: list[dict[str, Any]]) -> str:
    deltas = [choice["delta"] for one in chunks for choice in one["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


async def test_answers_in_one_piece(bench: Bench) -> None:
    model = bench.says("one", " two", " three")

    answer = await bench.provider.complete(a_request(model))

    body = msgspec.json.decode(answer.body)
    assert body["model"] == PUBLIC_NAME
    assert body["choices"][0]["message"]["content"] == "one two three"
    assert answer.usage == REPORTED
    assert answer.finish_reason == "stop"
    assert answer.provider_request_id


async def test_streams_complete_events_up_to_the_terminator(bench: Bench) -> None:
    model = bench.says("one", " two", " three")
    stream = await bench.provider.open_stream(a_request(model, stream=True))

    blocks = [block async for block in stream]

    assert all(block.endswith(b"\n\n") for block in blocks)
    chunks = events(blocks)
    assert content(chunks) == "one two three"
    assert {one["model"] for one in chunks} == {PUBLIC_NAME}
    assert len({one["id"] for one in chunks}) == 1
    assert stream.report.usage == REPORTED
    assert stream.report.finish_reason == "stop"
    assert stream.report.provider_request_id
    await stream.aclose()


async def test_answers_messages_in_one_piece(bench: Bench) -> None:
    model = bench.says("one", " two", " three")

    answer = await bench.provider.complete(a_request(model, **MESSAGES))

    body = msgspec.json.decode(answer.body)
    assert (body["type"], body["role"], body["model"]) == ("message", "assistant", PUBLIC_NAME)
    assert [(one["type"], one["text"]) for one in body["content"]] == [("text", "one two three")]
    assert body["stop_reason"] == "end_turn"
    assert (body["usage"]["input_tokens"], body["usage"]["output_tokens"]) == (12, 3)
    assert answer.usage == REPORTED
    assert answer.finish_reason == "stop"


async def test_streams_messages_up_to_their_end(bench: Bench) -> None:
    model = bench.says("one", " two", " three")
    stream = await bench.provider.open_stream(a_request(model, stream=True, **MESSAGES))

    said = b"".join([block async for block in stream])

    data = [line.partition(b"data: ")[2] for line in said.split(b"\n\n")[:-1]]
    found: list[dict[str, Any]] = [msgspec.json.decode(one) for one in data]
    deltas = [one["delta"]["text"] for one in found if one["type"] == "content_block_delta"]
    assert found[0]["message"]["model"] == PUBLIC_NAME
    assert "".join(deltas) == "one two three"
    assert found[-2]["usage"]["output_tokens"] == 3
    assert found[-1] == {"type": "message_stop"}
    assert stream.report.usage == REPORTED
    assert stream.report.finish_reason == "stop"
    await stream.aclose()


async def test_a_cut_stream_of_messages_fails_after_what_came(bench: Bench) -> None:
    model = bench.cuts_after("one", " two", " three")
    stream = await bench.provider.open_stream(a_request(model, stream=True, **MESSAGES))
    blocks: list[bytes] = []

    with pytest.raises(ProviderFailedError):
        await drain(stream, blocks)

    assert b"three" in b"".join(blocks)
    assert b"message_stop" not in b"".join(blocks)
    assert stream.report.usage.counted
    await stream.aclose()


async def test_withholds_usage_that_was_not_asked_for(bench: Bench) -> None:
    model = bench.says("one", " two", " three")

    chunks = events(await collect(bench.provider, a_request(model, stream=True)))

    assert all(one["choices"] for one in chunks)
    assert not any("usage" in one for one in chunks)


async def test_sends_usage_that_was_asked_for(bench: Bench) -> None:
    request = a_request(
        bench.says("one", " two", " three"),
        stream=True,
        include_usage=True,
        stream_options={"include_usage": True},
    )

    chunks = events(await collect(bench.provider, request))

    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 15
    assert all(one["usage"] is None for one in chunks[:-1])


async def test_embeds(bench: Bench) -> None:
    model = bench.embeds()
    request = a_request(model, operation=Operation.EMBEDDING, input="one two three")

    answer = await bench.provider.complete(request)

    vector = msgspec.json.decode(answer.body)["data"][0]["embedding"]
    assert sum(number * number for number in vector) == pytest.approx(1)
    assert answer.usage == Usage(prompt_tokens=3)
    assert answer.finish_reason is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderRejectedError),
        (404, ProviderFailedError),
        (401, ProviderCredentialsError),
        (403, ProviderCredentialsError),
        (408, ProviderTimedOutError),
        (429, ProviderRateLimitedError),
        (500, ProviderFailedError),
        (502, ProviderFailedError),
        (503, ProviderBusyError),
        (504, ProviderTimedOutError),
    ],
)
async def test_failures_have_their_kind_and_never_show_the_key(
    bench: Bench, status: int, kind: type[StoaError]
) -> None:
    model = bench.fails(status)
    calls: list[Callable[[ProviderRequest], Awaitable[object]]] = [
        bench.provider.complete,
        bench.provider.open_stream,
    ]

    for call, stream in zip(calls, (False, True), strict=True):
        with pytest.raises(StoaError) as caught:
            await call(a_request(model, stream=stream))

        assert type(caught.value) is kind
        assert SECRET not in f"{caught.value} {getattr(caught.value, '__notes__', [])}"


async def test_a_cut_stream_fails_after_what_came_and_has_counted_usage(bench: Bench) -> None:
    model = bench.cuts_after("one", " two", " three")
    stream = await bench.provider.open_stream(a_request(model, stream=True))
    blocks: list[bytes] = []

    with pytest.raises(ProviderFailedError, match="terminator"):
        await drain(stream, blocks)

    assert b"three" in blocks[-1]
    usage = stream.report.usage
    assert usage.counted
    assert usage.completion_tokens == 3
    assert usage.prompt_tokens > 0
    await stream.aclose()


async def test_leaving_a_stream_aborts_the_work(bench: Bench) -> None:
    stream = await bench.provider.open_stream(a_request(bench.drips(), stream=True))
    await anext(aiter(stream))

    await asyncio.wait_for(stream.aclose(), PATIENCE_S)
    await stream.aclose()

    await asyncio.wait_for(bench.aborted(), PATIENCE_S)
    assert stream.report.usage.counted


async def test_cancelling_a_reader_and_closing_aborts_the_work(bench: Bench) -> None:
    stream = await bench.provider.open_stream(a_request(bench.drips(), stream=True))

    async def read() -> None:
        async for _ in stream:
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await stream.aclose()

    await asyncio.wait_for(bench.aborted(), PATIENCE_S)


async def test_closing_ends_a_reader_in_another_task(bench: Bench) -> None:
    stream = await bench.provider.open_stream(a_request(bench.drips(), stream=True))

    async def read() -> None:
        with suppress(UpstreamError):
            async for _ in stream:
                pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.05)

    await stream.aclose()

    await asyncio.wait_for(task, PATIENCE_S)


async def test_cancelling_a_call_aborts_the_work(bench: Bench) -> None:
    task = asyncio.create_task(bench.provider.complete(a_request(bench.hangs())))
    await until(lambda: _is_under_way(bench))

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(bench.aborted(), PATIENCE_S)


def _is_under_way(bench: Bench) -> bool:
    if isinstance(bench, ScriptedBench):
        return bool(bench.scripted.in_flight)
    upstream: Upstream = getattr(bench, "upstream")  # noqa: B009 - all others have one
    return bool(upstream.requests)


async def test_a_stream_opens_before_the_model_has_thought(bench: Bench) -> None:
    opening = bench.provider.open_stream(a_request(bench.hangs(), stream=True))

    stream = await asyncio.wait_for(opening, PATIENCE_S)

    await stream.aclose()


async def test_many_calls_run_side_by_side(bench: Bench) -> None:
    request = a_request(bench.says("one", " two", " three"), stream=True)

    answers = await asyncio.gather(*(collect(bench.provider, request) for _ in range(20)))

    assert [content(events(blocks)) for blocks in answers] == ["one two three"] * 20


async def test_stopping_aborts_what_runs_and_takes_no_more(bench: Bench) -> None:
    model = bench.drips()
    stream = await bench.provider.open_stream(a_request(model, stream=True))
    blocks = aiter(stream)
    await anext(blocks)

    await bench.provider.stop()
    await bench.provider.stop()

    with pytest.raises(UpstreamError):
        async for _ in blocks:
            pass
    with pytest.raises(ProviderUnreachableError):
        await bench.provider.complete(a_request(model))
    await stream.aclose()
