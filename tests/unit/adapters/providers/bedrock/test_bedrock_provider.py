from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from adapters.providers.bedrock.provider import BedrockProvider
from adapters.providers.bedrock.signing import AwsCredentials, Signer
from adapters.providers.generation import GenerationCall
from adapters.providers.http_configuration import HttpConfiguration
from application.inference.ports import Operation, ProviderRequest
from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.events import Delta, StreamEvent
from domain.inference.conversation.parts import Thinking
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderTimedOutError,
    UnsupportedByModelError,
)
from domain.shared.errors import StoaError
from domain.shared.usage import Usage
from tests.fakes.bedrock_bench import HEAD, NAMED
from tests.fakes.bedrock_wire import (
    converse_answer,
    exception,
    stream_of,
    text_delta,
)
from tests.fakes.clock import FrozenClock
from tests.fakes.conversations import a_chat_model, asking
from tests.fakes.upstream import (
    LAST_CHUNK,
    Upstream,
    chunk,
    json_answer,
    running_upstream,
)

CLAUDE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
CREDENTIALS = AwsCredentials(
    access_key_id="AKIDEXAMPLE", secret_access_key="s3cret-canary", session_token="t0ken-canary"
)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as running:
        yield running


def a_provider(upstream: Upstream, *, api_key: str | None = None) -> BedrockProvider:
    return BedrockProvider(
        name="acme",
        region="eu-central-1",
        http=HttpConfiguration(base_url=upstream.origin, api_key=api_key),
        credentials=None if api_key else CREDENTIALS,
        clock=FrozenClock(),
    )


@pytest.fixture
async def bedrock(upstream: Upstream) -> AsyncIterator[BedrockProvider]:
    provider = a_provider(upstream)
    yield provider
    await provider.stop()


def a_call(model: str = CLAUDE, **members: Any) -> GenerationCall:
    return GenerationCall(request=asking(**members), asked=a_request(model))


def a_request(
    model: str = CLAUDE, *, operation: Operation = Operation.CHAT, **fields: object
) -> ProviderRequest:
    return ProviderRequest(
        operation=operation,
        model=a_chat_model(model),
        body=msgspec.json.encode({"model": "large"} | fields),
        correlation_id="c-1",
    )


def failing(status: int, message: str, kind: str | None = None) -> bytes:
    body = {"message": message} | ({} if kind is None else {"__type": kind})
    return json_answer(msgspec.json.encode(body), status=status, headers=[NAMED])


async def streamed(bedrock: BedrockProvider, into: list[StreamEvent]) -> None:
    async for events in await bedrock.open_generation(a_call()):
        into += events


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (CLAUDE, f"/model/{CLAUDE.replace(':', '%3A')}/converse"),
        (
            "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0",
            (
                "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-profile%2F"
                "eu.amazon.nova-pro-v1%3A0/converse"
            ),
        ),
    ],
    ids=["id", "arn"],
)
async def test_requests_are_signed_as_they_are_sent(
    bedrock: BedrockProvider, upstream: Upstream, model: str, path: str
) -> None:
    upstream.play(json_answer(converse_answer({"text": "hi"}), headers=[NAMED]))

    generated = await bedrock.generate(a_call(model))

    seen = upstream.requests[-1]
    assert seen.target == path
    names = ("host", "content-type")
    expected = Signer(credentials=CREDENTIALS, region="eu-central-1", service="bedrock").headers(
        path, {name: seen.headers[name] for name in names}, seen.body, FrozenClock().now()
    )
    assert [(name, seen.headers[name]) for name, _ in expected] == list(expected)
    assert seen.headers["x-amz-security-token"] == "t0ken-canary"
    assert generated.provider_request_id == "req-up"


async def test_a_key_goes_as_a_bearer_token_and_nothing_is_signed(upstream: Upstream) -> None:
    provider = a_provider(upstream, api_key="bedrock-api-key-canary")
    upstream.play(json_answer(converse_answer({"text": "hi"})))

    await provider.generate(a_call())
    await provider.stop()

    seen = upstream.requests[-1]
    assert seen.headers["authorization"] == "Bearer bedrock-api-key-canary"
    assert "x-amz-date" not in seen.headers


async def test_a_stream_is_read_frame_by_frame(
    bedrock: BedrockProvider, upstream: Upstream
) -> None:
    upstream.play(HEAD, *map(chunk, stream_of("one", " two")), LAST_CHUNK)

    stream = await bedrock.open_generation(a_call())
    events = [one async for block in stream for one in block]

    assert upstream.requests[-1].target.endswith("/converse-stream")
    assert upstream.requests[-1].headers["accept"] == "application/vnd.amazon.eventstream"
    assert "".join(one.text for one in events if isinstance(one, Delta)) == "one two"
    assert stream.report.usage == Usage(prompt_tokens=12, completion_tokens=3)
    assert stream.report.finish_reason == "stop"
    assert stream.report.provider_request_id == "req-up"


async def test_the_thoughts_of_claude_are_those_of_anthropic(
    bedrock: BedrockProvider, upstream: Upstream
) -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}}
    upstream.default = [json_answer(converse_answer(thought))]

    claude = await bedrock.generate(a_call())
    other = await bedrock.generate(a_call("deepseek.r1-v1:0"))

    makers = [
        part.opaque_of
        for generated in (claude, other)
        for part in generated.answer.choices[0].parts
        if isinstance(part, Thinking)
    ]
    assert makers == ["anthropic", "bedrock"]
    assert claude.answer.choices[0].stop is StopReason.END


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "The provided model identifier is invalid.", ProviderRejectedError),
        (400, "Input is too long for requested model.", ContextLengthExceededError),
        (403, "You don't have access to the model.", ProviderCredentialsError),
        (404, "Could not resolve the model.", ProviderFailedError),
        (408, "Model timed out.", ProviderTimedOutError),
        (424, "The model failed.", ProviderFailedError),
        (429, "Too many requests, please wait before trying again.", ProviderRateLimitedError),
        (503, "Too many connections.", ProviderBusyError),
    ],
)
async def test_failures_have_their_kind(
    bedrock: BedrockProvider,
    upstream: Upstream,
    status: int,
    message: str,
    kind: type[StoaError],
) -> None:
    upstream.play(failing(status, message))

    with pytest.raises(StoaError) as caught:
        await bedrock.generate(a_call())

    assert type(caught.value) is kind
    assert caught.value.provider_request_id == "req-up"


async def test_wrong_credentials_are_not_the_callers_fault(
    bedrock: BedrockProvider, upstream: Upstream
) -> None:
    upstream.play(
        failing(400, "t0ken-canary expired", "com.amazon.coral.service#ExpiredTokenException")
    )

    with pytest.raises(ProviderCredentialsError) as caught:
        await bedrock.generate(a_call())

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("exception_type", "kind"),
    [
        ("throttlingException", ProviderRateLimitedError),
        ("serviceUnavailableException", ProviderBusyError),
        ("modelTimeoutException", ProviderTimedOutError),
        ("validationException", ProviderRejectedError),
        ("modelStreamErrorException", ProviderFailedError),
        ("internalServerException", ProviderFailedError),
    ],
)
async def test_an_exception_inside_a_stream_has_its_kind(
    bedrock: BedrockProvider, upstream: Upstream, exception_type: str, kind: type[StoaError]
) -> None:
    upstream.play(HEAD, chunk(text_delta("one") + exception(exception_type)), LAST_CHUNK)
    seen: list[StreamEvent] = []

    with pytest.raises(StoaError) as caught:
        await streamed(bedrock, seen)

    assert type(caught.value) is kind
    assert [one.text for one in seen if isinstance(one, Delta)] == ["one"]


async def test_a_stream_that_is_none_is_refused(
    bedrock: BedrockProvider, upstream: Upstream
) -> None:
    upstream.play(json_answer(converse_answer({"text": "hi"})))

    with pytest.raises(ProviderFailedError, match="stream"):
        await bedrock.open_generation(a_call())


async def test_titan_embeds_one_text_after_the_other(
    bedrock: BedrockProvider, upstream: Upstream
) -> None:
    counted = [NAMED, "x-amzn-bedrock-input-token-count: 2"]
    upstream.default = [
        json_answer(msgspec.json.encode({"embedding": [1.0, 0.0]}), headers=counted)
    ]
    request = a_request(
        "amazon.titan-embed-text-v2:0",
        operation=Operation.EMBEDDING,
        input=["one", "two"],
        dimensions=256,
    )

    answer = await bedrock.complete(request)

    assert sorted(str(seen.json["inputText"]) for seen in upstream.requests) == ["one", "two"]
    assert {seen.json["dimensions"] for seen in upstream.requests} == {256}
    assert upstream.requests[0].target == "/model/amazon.titan-embed-text-v2%3A0/invoke"
    body = msgspec.json.decode(answer.body)
    assert [one["embedding"] for one in body["data"]] == [[1.0, 0.0], [1.0, 0.0]]
    assert answer.usage == Usage(prompt_tokens=4)
    assert answer.provider_request_id == "req-up"


@pytest.mark.parametrize(
    "embeddings",
    [{"float": [[0.5], [1.0]]}, [[0.5], [1.0]]],
    ids=["by-type", "plain"],
)
async def test_cohere_embeds_a_batch(
    bedrock: BedrockProvider, upstream: Upstream, embeddings: object
) -> None:
    upstream.play(json_answer(msgspec.json.encode({"embeddings": embeddings})))
    request = a_request(
        "cohere.embed-v4:0",
        operation=Operation.EMBEDDING,
        input=["one", "two"],
        input_type="search_query",
    )

    answer = await bedrock.complete(request)

    assert upstream.requests[-1].json == {
        "texts": ["one", "two"],
        "input_type": "search_query",
        "embedding_types": ["float"],
    }
    body = msgspec.json.decode(answer.body)
    assert [one["embedding"] for one in body["data"]] == [[0.5], [1.0]]
    assert answer.usage == Usage(prompt_tokens=2, counted=True)


async def test_one_failed_embedding_fails_the_call(
    bedrock: BedrockProvider, upstream: Upstream
) -> None:
    upstream.default = [failing(429, "slow")]
    request = a_request(
        "amazon.titan-embed-text-v2:0", operation=Operation.EMBEDDING, input=["one", "two"]
    )

    with pytest.raises(ProviderRateLimitedError):
        await bedrock.complete(request)


@pytest.mark.parametrize("body", [b"<", b"{}", b'{"embeddings":[]}'])
async def test_embeddings_that_are_none_are_a_failure(
    bedrock: BedrockProvider, upstream: Upstream, body: bytes
) -> None:
    upstream.play(json_answer(body))

    with pytest.raises(ProviderFailedError):
        await bedrock.complete(
            a_request("cohere.embed-v4:0", operation=Operation.EMBEDDING, input="one")
        )


async def test_what_it_has_no_way_for_is_refused(bedrock: BedrockProvider) -> None:
    with pytest.raises(UnsupportedByModelError, match="rerank"):
        await bedrock.complete(a_request(operation=Operation.RERANK))
    with pytest.raises(UnsupportedByModelError, match="audio/speech"):
        await bedrock.open_stream(a_request(operation=Operation.SPEECH))
    with pytest.raises(UnsupportedByModelError, match="Titan"):
        await bedrock.complete(a_request(operation=Operation.EMBEDDING, input="x"))
    with pytest.raises(UnsupportedByModelError, match="input_type"):
        await bedrock.complete(
            a_request(
                "amazon.titan-embed-text-v2:0",
                operation=Operation.EMBEDDING,
                input="x",
                input_type="search_query",
            )
        )


def a_count(model: str = CLAUDE) -> ProviderRequest:
    tool = {"name": "f", "input_schema": {"type": "object"}}
    message = {"role": "user", "content": "hello"}
    body = {"model": "m", "system": "Be kind.", "messages": [message], "tools": [tool]}
    return replace(
        a_request(model, operation=Operation.COUNT_TOKENS), body=msgspec.json.encode(body)
    )


@pytest.mark.parametrize(
    ("model", "counted"),
    [
        (CLAUDE, "anthropic.claude-sonnet-4-5-20250929-v1%3A0"),
        ("us-gov.anthropic.claude-x", "anthropic.claude-x"),
        ("anthropic.claude-x", "anthropic.claude-x"),
        ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1%3A0"),
    ],
)
async def test_tokens_are_counted_by_the_model(
    bedrock: BedrockProvider, upstream: Upstream, model: str, counted: str
) -> None:
    upstream.play(json_answer(b'{"inputTokens": 42}', headers=("x-amzn-requestid: aws-1",)))

    answer = await bedrock.complete(a_count(model))

    (seen,) = upstream.requests
    assert seen.target == f"/model/{counted}/count-tokens"
    asked: Any = seen.json
    assert list(asked["input"]["converse"]) == ["messages", "system", "toolConfig"]
    assert msgspec.json.decode(answer.body) == {"input_tokens": 42}
    assert answer.usage == Usage()


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_what_bedrock_does_not_count_is_estimated(
    bedrock: BedrockProvider, upstream: Upstream, status: int
) -> None:
    upstream.play(json_answer(b'{"message": "No counting."}', status=status))

    answer = await bedrock.complete(a_count())

    assert msgspec.json.decode(answer.body)["input_tokens"] > 5


@pytest.mark.parametrize("status", [429, 500])
async def test_what_may_pass_is_no_reason_to_estimate(
    bedrock: BedrockProvider, upstream: Upstream, status: int
) -> None:
    upstream.play(json_answer(b'{"message": "Later."}', status=status))

    with pytest.raises(StoaError):
        await bedrock.complete(a_count())


async def test_a_count_that_is_none_is_a_failure(
    bedrock: BedrockProvider, upstream: Upstream
) -> None:
    upstream.play(json_answer(b"{}"))

    with pytest.raises(ProviderFailedError, match="no count"):
        await bedrock.complete(a_count())
