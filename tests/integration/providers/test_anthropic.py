"""Anthropic's own format passes through its provider as it is, and OpenAI's is translated."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from adapters.providers.anthropic.configuration import AnthropicProviderDefinition
from adapters.providers.transport.choice import TransportKind
from application.inference.ports import ModelProvider, Operation, ProviderRequest
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    UnsupportedByModelError,
)
from domain.shared.errors import StoaError
from domain.shared.usage import Usage
from tests.fakes.anthropic_wire import (
    HEAD,
    PING,
    REQUEST_ID,
    delta,
    error_of,
    message,
    opened,
    sse,
    started,
    stopped,
    stream_of,
    text,
    usage_of,
    word,
)
from tests.fakes.openai_like_bench import http_of, surroundings
from tests.fakes.openai_wire import PUBLIC_NAME, UPSTREAM_NAME, a_model, a_request
from tests.fakes.upstream import LAST_CHUNK, Upstream, chunk, json_answer, running_upstream

SECRET = "sk-ant-canary-0123456789"
HELLO = [{"role": "user", "content": "hello there world"}]


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as running:
        yield running


@pytest.fixture
async def provider(upstream: Upstream) -> AsyncIterator[ModelProvider]:
    definition = AnthropicProviderDefinition(
        name="acme", http=http_of(upstream, TransportKind.POOL, secret=SECRET)
    )
    built = definition.build((), surroundings())
    yield built
    await built.stop()


def asking(
    *,
    operation: Operation = Operation.MESSAGES,
    features: tuple[str, ...] = (),
    stream: bool = False,
    **members: Any,
) -> ProviderRequest:
    body: dict[str, Any] = {"model": PUBLIC_NAME, "max_tokens": 50, "messages": HELLO}
    if stream:
        body["stream"] = True
    return ProviderRequest(
        operation=operation,
        model=a_model(),
        body=msgspec.json.encode(body | members),
        correlation_id="c-1",
        stream=stream,
        features=features,
    )


def plays(upstream: Upstream, *events: bytes) -> None:
    upstream.play(HEAD, *map(chunk, events), LAST_CHUNK)


def said(upstream: Upstream, body: object, *, status: int = 200) -> None:
    encoded = body if isinstance(body, bytes) else msgspec.json.encode(body)
    upstream.play(json_answer(encoded, status=status, headers=[REQUEST_ID, "retry-after: 7"]))


async def streamed(provider: ModelProvider, request: ProviderRequest) -> bytes:
    stream = await provider.open_stream(request)
    return b"".join([block async for block in stream])


async def test_asks_as_the_client_did_but_for_the_name(
    upstream: Upstream, provider: ModelProvider
) -> None:
    said(upstream, message(text("hi")))
    unknown: dict[str, Any] = {"speed": "fast", "system": [{"type": "text", "text": "x"}]}

    await provider.complete(asking(**unknown))

    seen = upstream.requests[0]
    assert seen.target == "/v1/messages"
    assert seen.headers["x-api-key"] == SECRET
    assert seen.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in seen.headers
    sent = {"model": UPSTREAM_NAME, "max_tokens": 50, "messages": HELLO}
    assert seen.json == sent | unknown


async def test_hands_the_answer_out_as_it_is_but_for_the_name(
    upstream: Upstream, provider: ModelProvider
) -> None:
    usage = usage_of(
        5, 9, cache_read_input_tokens=1000, cache_creation_input_tokens=20, speed="fast"
    )
    answer = message(text("hi"), {"type": "new_kind", "x": 1}, usage=usage, stop_reason="tool_use")
    said(upstream, answer)

    found = await provider.complete(asking())

    assert msgspec.json.decode(found.body) == answer | {"model": PUBLIC_NAME}
    assert found.usage == Usage(
        prompt_tokens=1025, cached_tokens=1000, cache_write_tokens=20, completion_tokens=9
    )
    assert found.finish_reason == "tool_calls"
    assert found.provider_request_id == "req_up"


async def test_streams_byte_for_byte_but_for_the_name(
    upstream: Upstream, provider: ModelProvider
) -> None:
    events = [
        started(cache_read_input_tokens=30),
        PING,
        opened(0, {"type": "thinking", "thinking": "", "signature": ""}),
        delta(0, "signature_delta", signature="sig"),
        sse("content_block_stop", index=0),
        opened(1, text("")),
        word('"message_stop"', 1),
        sse("content_block_stop", index=1),
        sse("something_new", x=1),
        *stopped("max_tokens", output_tokens=8),
    ]
    plays(upstream, *events)

    stream = await provider.open_stream(asking(stream=True))
    found = b"".join([block async for block in stream])

    whole = b"".join(events)
    assert found == whole.replace(UPSTREAM_NAME.encode(), PUBLIC_NAME.encode())
    assert stream.report.usage == Usage(prompt_tokens=42, cached_tokens=30, completion_tokens=8)
    assert stream.report.finish_reason == "length"
    assert stream.report.provider_request_id == "req_up"


async def test_a_stream_may_come_byte_by_byte(upstream: Upstream, provider: ModelProvider) -> None:
    upstream.dribble = True
    plays(upstream, *stream_of("one", " two"))

    found = await streamed(provider, asking(stream=True))

    assert found.endswith(sse("message_stop"))


async def test_counts_tokens(upstream: Upstream, provider: ModelProvider) -> None:
    said(upstream, {"input_tokens": 99})

    found = await provider.complete(asking(operation=Operation.COUNT_TOKENS))

    assert upstream.requests[0].target == "/v1/messages/count_tokens"
    assert msgspec.json.decode(found.body) == {"input_tokens": 99}
    assert found.usage == Usage()


async def test_features_go_out_that_the_operator_lets_through(
    upstream: Upstream, provider: ModelProvider
) -> None:
    said(upstream, message(text("hi")))

    await provider.complete(
        asking(features=("claude-code-20250219", "fast-mode-2026-02-01", "effort-2025-11-24"))
    )

    sent = upstream.requests[0].headers["anthropic-beta"]
    assert sent == "claude-code-20250219,effort-2025-11-24"


@pytest.mark.parametrize(
    ("status", "kind", "words", "error"),
    [
        (400, "invalid_request_error", "no", ProviderRejectedError),
        (400, "invalid_request_error", "prompt is too long: 9 > 8", ContextLengthExceededError),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 9 + 8 > 10",
            ContextLengthExceededError,
        ),
        (401, "authentication_error", "no", ProviderCredentialsError),
        (402, "billing_error", "no", ProviderCredentialsError),
        (403, "permission_error", "no", ProviderCredentialsError),
        (413, "request_too_large", "no", ProviderRejectedError),
        (429, "rate_limit_error", "no", ProviderRateLimitedError),
        (500, "api_error", "no", ProviderFailedError),
        (529, "overloaded_error", "no", ProviderBusyError),
    ],
)
async def test_failures_have_their_kind(
    upstream: Upstream,
    provider: ModelProvider,
    *,
    status: int,
    kind: str,
    words: str,
    error: type[StoaError],
) -> None:
    said(upstream, error_of(kind, words), status=status)
    plays(upstream, started(), b"event: error\ndata: " + error_of(kind, words) + b"\n\n")

    with pytest.raises(error) as whole:
        await provider.complete(asking())
    stream = await provider.open_stream(asking(stream=True))
    await anext(aiter(stream))
    with pytest.raises(error):
        await anext(aiter(stream))

    if isinstance(whole.value, ProviderRateLimitedError | ProviderBusyError):
        assert whole.value.retry_after == 7
    assert whole.value.provider_request_id == "req_up"


async def test_a_refusal_has_the_providers_code(
    upstream: Upstream, provider: ModelProvider
) -> None:
    details = {"error_code": "image_dimensions_too_large"}
    error = {"type": "invalid_request_error", "message": "no", "details": details}
    said(upstream, {"type": "error", "error": error}, status=400)

    with pytest.raises(ProviderRejectedError) as caught:
        await provider.complete(asking())

    assert caught.value.provider_code == "image_dimensions_too_large"
    assert caught.value.provider_type == "invalid_request_error"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"type":"message"}', error_of("api_error", "no")],
    ids=["nothing", "half", "array", "empty", "no content", "an error"],
)
async def test_a_200_that_is_no_message_is_a_failure(
    upstream: Upstream, provider: ModelProvider, body: bytes
) -> None:
    said(upstream, body)

    with pytest.raises(ProviderFailedError):
        await provider.complete(asking())


async def test_a_stream_that_is_none_is_a_failure(
    upstream: Upstream, provider: ModelProvider
) -> None:
    said(upstream, error_of("overloaded_error", "no"))

    with pytest.raises(ProviderBusyError):
        await provider.open_stream(asking(stream=True))


async def test_answers_openais_format_with_tools_and_thoughts(
    upstream: Upstream, provider: ModelProvider
) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    call = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}
    said(upstream, message(thought, text("so"), call, stop_reason="tool_use"))
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}

    found = await provider.complete(
        a_request(tools=[tool], tool_choice="auto", reasoning_effort="high", max_tokens=99)
    )

    assert upstream.requests[0].json == {
        "model": UPSTREAM_NAME,
        "max_tokens": 99,
        "messages": [{"role": "user", "content": [text("hello there world")]}],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "auto"},
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
    }
    choice = msgspec.json.decode(found.body)["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "so"
    assert choice["message"]["reasoning_content"] == "hm"
    assert choice["message"]["reasoning_details"][0]["signature"] == "sig"
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}


async def test_what_it_does_not_offer_is_refused(provider: ModelProvider) -> None:
    with pytest.raises(UnsupportedByModelError, match="embeddings"):
        await provider.complete(a_request(operation=Operation.EMBEDDING, input="x"))
