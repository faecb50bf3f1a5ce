"""Every chat provider answers OpenAI's Responses API, by itself or by translation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Protocol

import msgspec
import pytest

from adapters.dialects.events import EventReader
from adapters.providers.azure_openai.configuration import AzureOpenAIProviderDefinition
from adapters.providers.mistral.configuration import MistralProviderDefinition
from adapters.providers.openai.configuration import OpenAIProviderDefinition
from adapters.providers.openai_compatible.configuration import OpenAICompatibleProviderDefinition
from adapters.providers.transport.choice import TransportKind
from application.inference.ports import ModelProvider, Operation, ProviderStream
from domain.inference.errors import (
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderUnreachableError,
)
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError
from domain.shared.usage import Usage
from tests.fakes.anthropic_bench import AnthropicBench
from tests.fakes.bedrock_bench import BedrockBench
from tests.fakes.cohere_bench import CohereBench
from tests.fakes.gemini_bench import GeminiBench
from tests.fakes.ollama_bench import OllamaBench
from tests.fakes.openai_like_bench import OpenAILikeBench
from tests.fakes.openai_wire import a_request
from tests.fakes.responses_bench import ResponsesBench
from tests.fakes.upstream import Upstream, running_upstream
from tests.fixtures.patience import PATIENCE_S

SECRET = "sk-canary-0123456789"
REPORTED = Usage(prompt_tokens=12, completion_tokens=3)
ASKED: Any = {"operation": Operation.RESPONSES, "input": "hello there world", "store": False}


class Bench(Protocol):
    provider: ModelProvider

    def says(self, *words: str) -> ServedModel: ...

    def fails(self, status: int) -> ServedModel: ...

    def drips(self) -> ServedModel: ...

    def cuts_after(self, *words: str) -> ServedModel: ...

    async def aborted(self) -> None: ...


NATIVE: dict[str, Callable[..., Any]] = {
    "openai": OpenAIProviderDefinition,
    "azure-openai": AzureOpenAIProviderDefinition,
    "openai-compatible": partial(
        OpenAICompatibleProviderDefinition, operations=frozenset({Operation.RESPONSES})
    ),
}
BENCHES: dict[str, Callable[[Upstream, TransportKind], Bench]] = {
    **{
        f"{name} itself": partial(
            ResponsesBench, secret=SECRET, define=partial(define, name="acme")
        )
        for name, define in NATIVE.items()
    },
    **{
        name: partial(OpenAILikeBench, secret=SECRET, define=partial(define, name="acme"))
        for name, define in (
            ("openai-compatible", OpenAICompatibleProviderDefinition),
            ("mistral", MistralProviderDefinition),
        )
    },
    "anthropic": partial(AnthropicBench, secret=SECRET),
    "cohere": partial(CohereBench, secret=SECRET),
    "google": partial(GeminiBench, secret=SECRET),
    "ollama": partial(OllamaBench, secret=SECRET),
    "bedrock": partial(BedrockBench, secret=SECRET),
}


@pytest.fixture(params=BENCHES)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with running_upstream() as upstream:
        remote = BENCHES[request.param](upstream, TransportKind.POOL)
        await remote.provider.start()
        yield remote
        await remote.provider.stop()


@pytest.fixture(params=TransportKind)
async def native(request: pytest.FixtureRequest) -> AsyncIterator[ResponsesBench]:
    async with running_upstream() as upstream:
        define = partial(OpenAIProviderDefinition, name="acme")
        remote = ResponsesBench(upstream, request.param, secret=SECRET, define=define)
        await remote.provider.start()
        yield remote
        await remote.provider.stop()


def _events(blocks: list[bytes]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(event.data) for event in EventReader().feed(b"".join(blocks))]


def _text(response: dict[str, Any]) -> str:
    return "".join(
        part["text"]
        for item in response["output"]
        if item["type"] == "message"
        for part in item["content"]
    )


async def _drain(stream: ProviderStream, into: list[bytes]) -> None:
    async for block in stream:
        into.append(block)  # noqa: PERF401 - what came before a failure must be kept


async def test_answers_in_one_piece(bench: Bench) -> None:
    model = bench.says("one", " two", " three")

    answer = await bench.provider.complete(a_request(model, **ASKED))

    response = msgspec.json.decode(answer.body)
    assert (response["object"], response["status"]) == ("response", "completed")
    assert _text(response) == "one two three"
    assert (response["usage"]["input_tokens"], response["usage"]["output_tokens"]) == (12, 3)
    assert answer.usage == REPORTED
    assert answer.finish_reason == "stop"


async def test_streams_up_to_the_whole_response(bench: Bench) -> None:
    model = bench.says("one", " two", " three")
    stream = await bench.provider.open_stream(a_request(model, stream=True, **ASKED))

    events = _events([block async for block in stream])

    deltas = [event["delta"] for event in events if event["type"].endswith("text.delta")]
    assert events[0]["type"] == "response.created"
    assert "".join(deltas) == "one two three"
    assert events[-1]["type"] == "response.completed"
    assert _text(events[-1]["response"]) == "one two three"
    assert stream.report.usage == REPORTED
    assert stream.report.finish_reason == "stop"
    await stream.aclose()


async def test_a_cut_stream_fails_after_what_came_and_has_counted_usage(bench: Bench) -> None:
    model = bench.cuts_after("one", " two", " three")
    stream = await bench.provider.open_stream(a_request(model, stream=True, **ASKED))
    blocks: list[bytes] = []

    with pytest.raises(ProviderFailedError):
        await _drain(stream, blocks)

    assert b"three" in b"".join(blocks)
    assert b"response.completed" not in b"".join(blocks)
    assert stream.report.usage.counted
    await stream.aclose()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderRejectedError),
        (401, ProviderCredentialsError),
        (429, ProviderRateLimitedError),
        (500, ProviderFailedError),
        (503, ProviderBusyError),
    ],
)
async def test_failures_have_their_kind_and_never_show_the_key(
    bench: Bench, status: int, kind: type[StoaError]
) -> None:
    model = bench.fails(status)
    calls: list[Callable[..., Awaitable[object]]] = [
        bench.provider.complete,
        bench.provider.open_stream,
    ]

    for call, stream in zip(calls, (False, True), strict=True):
        with pytest.raises(StoaError) as caught:
            await call(a_request(model, stream=stream, **ASKED))

        assert type(caught.value) is kind
        assert SECRET not in f"{caught.value} {getattr(caught.value, '__notes__', [])}"


async def test_leaving_a_stream_aborts_the_work(bench: Bench) -> None:
    stream = await bench.provider.open_stream(a_request(bench.drips(), stream=True, **ASKED))
    await anext(aiter(stream))

    await asyncio.wait_for(stream.aclose(), PATIENCE_S)

    await asyncio.wait_for(bench.aborted(), PATIENCE_S)


async def test_a_native_answer_has_the_providers_request_id(native: ResponsesBench) -> None:
    model = native.says("one")

    answer = await native.provider.complete(a_request(model, **ASKED))
    stream = await native.provider.open_stream(a_request(model, stream=True, **ASKED))
    await stream.aclose()

    assert answer.provider_request_id == stream.report.provider_request_id == "req-up"


async def test_a_native_stream_that_breaks_off_is_a_failure(native: ResponsesBench) -> None:
    model = native.cuts_after("one", " two")
    stream = await native.provider.open_stream(a_request(model, stream=True, **ASKED))
    blocks: list[bytes] = []

    with pytest.raises(ProviderFailedError):
        await _drain(stream, blocks)

    assert stream.report.usage.completion_tokens == 2
    await stream.aclose()


async def test_a_native_answer_that_is_no_stream_is_a_failure(native: ResponsesBench) -> None:
    model = native.says("one")
    native.upstream.streamed = native.upstream.default

    with pytest.raises(ProviderFailedError) as failed:
        await native.provider.open_stream(a_request(model, stream=True, **ASKED))

    assert failed.value.provider_request_id == "req-up"


async def test_a_stopped_native_provider_takes_no_more(native: ResponsesBench) -> None:
    model = native.says("one")

    await native.provider.stop()

    with pytest.raises(ProviderUnreachableError):
        await native.provider.complete(a_request(model, **ASKED))
