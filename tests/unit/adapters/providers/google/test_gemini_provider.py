import base64
import struct
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from adapters.providers.generation import GenerationCall
from adapters.providers.google.provider import GoogleProvider
from adapters.providers.http_configuration import HttpConfiguration
from application.inference.ports import Operation, ProviderRequest
from domain.inference.conversation.answer import StopReason
from domain.inference.conversation.events import Delta, StreamEvent
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    UnsupportedByModelError,
)
from domain.shared.errors import InvalidError, StoaError
from domain.shared.usage import Usage
from tests.fakes.conversations import a_chat_model, asking
from tests.fakes.gemini_wire import (
    USAGE,
    answer_of,
    candidate,
    error_of,
    event,
    stream_of,
)
from tests.fakes.upstream import (
    LAST_CHUNK,
    Act,
    Upstream,
    chunk,
    json_answer,
    running_upstream,
    stream_head,
)

KEY = "AIza-canary-0123456789"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as running:
        yield running


@pytest.fixture
async def google(upstream: Upstream) -> AsyncIterator[GoogleProvider]:
    http = HttpConfiguration(base_url=f"{upstream.origin}/v1beta", api_key=KEY)
    provider = GoogleProvider(name="acme", http=http)
    yield provider
    await provider.stop()


def a_call(model: str = "gemini-2.5-flash", **members: Any) -> GenerationCall:
    return GenerationCall(request=asking(**members), asked=a_request(model))


def a_request(
    model: str = "gemini-2.5-flash", *, operation: Operation = Operation.CHAT, **fields: object
) -> ProviderRequest:
    return ProviderRequest(
        operation=operation,
        model=a_chat_model(model),
        body=msgspec.json.encode({"model": "large"} | fields),
        correlation_id="c-1",
    )


async def streamed(google: GoogleProvider, into: list[StreamEvent]) -> None:
    stream = await google.open_generation(a_call())
    async for events in stream:
        into += events


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("gemini-2.5-flash", "/v1beta/models/gemini-2.5-flash:generateContent"),
        ("models/gemini-2.5-flash", "/v1beta/models/gemini-2.5-flash:generateContent"),
        ("tunedModels/mine", "/v1beta/tunedModels/mine:generateContent"),
        ("../a?b=c#d", "/v1beta/models/..%2Fa%3Fb%3Dc%23d:generateContent"),
    ],
)
async def test_the_model_is_in_the_path_and_the_key_in_a_header(
    google: GoogleProvider, upstream: Upstream, name: str, path: str
) -> None:
    upstream.play(json_answer(answer_of(candidate({"text": "hi"}, finish="STOP"))))

    generated = await google.generate(a_call(name))

    seen = upstream.requests[-1]
    assert seen.target == path
    assert seen.headers["x-goog-api-key"] == KEY
    assert seen.headers["x-correlation-id"] == "c-1"
    assert generated.provider_request_id == "r-1"
    assert generated.answer.choices[0].stop is StopReason.END


async def test_a_stream_is_asked_for_as_events_and_reports_what_it_used(
    google: GoogleProvider, upstream: Upstream
) -> None:
    upstream.play(stream_head(), *map(chunk, stream_of("one", " two")), LAST_CHUNK)

    stream = await google.open_generation(a_call())
    events = [one async for block in stream for one in block]

    assert upstream.requests[-1].target.endswith(":streamGenerateContent?alt=sse")
    assert upstream.requests[-1].headers["accept"] == "text/event-stream"
    assert "".join(one.text for one in events if isinstance(one, Delta)) == "one two"
    assert stream.report.usage == Usage(prompt_tokens=12, completion_tokens=3)
    assert stream.report.finish_reason == "stop"
    assert stream.report.provider_request_id == "req-up"


async def test_what_a_stream_used_is_known_at_any_time(
    google: GoogleProvider, upstream: Upstream
) -> None:
    text = "a sentence of some length, which is more than one token"
    early = {"promptTokenCount": 12, "candidatesTokenCount": 1}
    upstream.play(stream_head(), chunk(event(answer_of(candidate({"text": text}), usage=early))))
    stream = await google.open_generation(a_call())
    before = stream.report.usage

    await anext(aiter(stream))
    await stream.aclose()

    assert before.counted
    assert stream.report.usage == Usage(prompt_tokens=12, completion_tokens=13, counted=True)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            400,
            error_of(400, "INVALID_ARGUMENT", "API key not valid.", {"reason": "API_KEY_INVALID"}),
            ProviderCredentialsError,
        ),
        (403, error_of(403, "PERMISSION_DENIED"), ProviderCredentialsError),
        (
            400,
            error_of(
                400,
                "INVALID_ARGUMENT",
                "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            ),
            ContextLengthExceededError,
        ),
        (503, error_of(503, "UNAVAILABLE"), ProviderBusyError),
        (500, b"<html>", ProviderFailedError),
    ],
)
async def test_failures_have_their_kind(
    google: GoogleProvider, upstream: Upstream, status: int, body: bytes, kind: type[StoaError]
) -> None:
    upstream.play(json_answer(body, status=status))

    with pytest.raises(kind):
        await google.generate(a_call())


async def test_a_refusal_names_the_field_and_keeps_googles_words(
    google: GoogleProvider, upstream: Upstream
) -> None:
    violation = {"fieldViolations": [{"field": "contents[0].parts", "description": "no"}]}
    upstream.play(
        json_answer(error_of(400, "INVALID_ARGUMENT", f"no, {KEY}", violation), status=400)
    )

    with pytest.raises(ProviderRejectedError) as caught:
        await google.generate(a_call())

    assert caught.value.message == "no, [MASKED]"
    assert caught.value.param == "contents[0].parts"
    assert caught.value.provider_type == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("delay", "expected"), [("3.5s", 3.5), ("40s", 40.0), ("soon", None), ("1e9s", None)]
)
async def test_a_rate_limit_says_how_long_to_wait(
    google: GoogleProvider, upstream: Upstream, delay: str, expected: float | None
) -> None:
    details: list[dict[str, Any]] = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
    ]
    upstream.play(
        json_answer(error_of(429, "RESOURCE_EXHAUSTED", "slow down", *details), status=429)
    )

    with pytest.raises(ProviderRateLimitedError) as caught:
        await google.generate(a_call())

    assert caught.value.retry_after == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error_of(429, "RESOURCE_EXHAUSTED"), ProviderRateLimitedError),
        (b"[" + error_of(503, "UNAVAILABLE") + b"]", ProviderBusyError),
        (b"{}", ProviderFailedError),
    ],
)
async def test_a_stream_that_is_none_says_why(
    google: GoogleProvider, upstream: Upstream, body: bytes, kind: type[StoaError]
) -> None:
    upstream.play(json_answer(body))

    with pytest.raises(kind):
        await google.open_generation(a_call())


async def test_an_error_inside_a_stream_has_its_kind_and_comes_after_what_came(
    google: GoogleProvider, upstream: Upstream
) -> None:
    word = event(answer_of(candidate({"text": "one"}), usage=None))
    failure = event(error_of(503, "UNAVAILABLE"))
    upstream.play(stream_head(), chunk(word), chunk(failure), LAST_CHUNK)
    seen: list[StreamEvent] = []

    with pytest.raises(ProviderBusyError) as caught:
        await streamed(google, seen)

    assert [one.text for one in seen if isinstance(one, Delta)] == ["one"]
    assert caught.value.provider_request_id == "req-up"


async def test_embeddings_are_asked_for_in_one_batch(
    google: GoogleProvider, upstream: Upstream
) -> None:
    said = {"embeddings": [{"values": [1.0, 0.0]}, {"values": [0.0, 0.5]}]}
    upstream.play(json_answer(msgspec.json.encode(said)))
    request = a_request(
        "gemini-embedding-001",
        operation=Operation.EMBEDDING,
        input=["one", "two"],
        dimensions=2,
        encoding_format="base64",
        task_type="RETRIEVAL_QUERY",
        user="u",
    )

    answer = await google.complete(request)

    seen = upstream.requests[-1]
    assert seen.target == "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    assert seen.json["requests"] == [
        {
            "model": "models/gemini-embedding-001",
            "outputDimensionality": 2,
            "taskType": "RETRIEVAL_QUERY",
            "content": {"parts": [{"text": text}]},
        }
        for text in ("one", "two")
    ]
    body = msgspec.json.decode(answer.body)
    packed = [base64.b64decode(one["embedding"]) for one in body["data"]]
    assert [struct.unpack("<2f", one) for one in packed] == [(1.0, 0.0), (0.0, 0.5)]
    assert body["model"] == "large"
    assert answer.usage == Usage(prompt_tokens=2, counted=True)
    assert body["usage"] == {"prompt_tokens": 2, "total_tokens": 2}


@pytest.mark.parametrize("body", [b"<", b"{}", b'{"embeddings":[]}'])
async def test_embeddings_that_are_none_are_a_failure(
    google: GoogleProvider, upstream: Upstream, body: bytes
) -> None:
    upstream.play(json_answer(body))

    with pytest.raises(ProviderFailedError):
        await google.complete(a_request(operation=Operation.EMBEDDING, input="one"))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": [[1, 2]]}, "input"),
        ({"input": "x", "encoding_format": "hex"}, "encoding_format"),
        ({"input": "x", "dimensions": "many"}, "dimensions"),
        ({"input": "x", "colour": "red"}, "colour"),
    ],
)
async def test_embeddings_that_make_no_sense_are_refused_by_name(
    google: GoogleProvider, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        await google.complete(a_request(operation=Operation.EMBEDDING, **fields))

    assert caught.value.param == param


async def test_other_operations_are_refused(google: GoogleProvider) -> None:
    with pytest.raises(UnsupportedByModelError, match="rerank"):
        await google.complete(a_request(operation=Operation.RERANK))
    with pytest.raises(UnsupportedByModelError, match="audio/speech"):
        await google.open_stream(a_request(operation=Operation.SPEECH))


async def test_a_finished_answer_whose_connection_breaks_is_whole(
    google: GoogleProvider, upstream: Upstream
) -> None:
    done = event(answer_of(candidate({"text": "one"}, finish="STOP"), usage=USAGE))
    upstream.play(stream_head(), chunk(done), Act.CLOSE)
    seen: list[StreamEvent] = []

    await streamed(google, seen)

    assert [one.text for one in seen if isinstance(one, Delta)] == ["one"]


async def test_tokens_of_a_message_are_counted_by_google(
    google: GoogleProvider, upstream: Upstream
) -> None:
    upstream.play(json_answer(b'{"totalTokens": 31, "promptTokensDetails": []}'))
    request = a_request(
        operation=Operation.COUNT_TOKENS,
        system="Be brief.",
        messages=[{"role": "user", "content": "hello"}],
        tools=[{"name": "now", "input_schema": {"type": "object"}}],
        tool_choice={"type": "any"},
    )

    answer = await google.complete(request)

    seen = upstream.requests[-1]
    assert seen.target == "/v1beta/models/gemini-2.5-flash:countTokens"
    assert seen.json == {
        "generateContentRequest": {
            "model": "models/gemini-2.5-flash",
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
            "tools": [
                {
                    "functionDeclarations": [
                        {"name": "now", "parametersJsonSchema": {"type": "object"}}
                    ]
                }
            ],
        }
    }
    assert answer.body == b'{"input_tokens":31}'
    assert answer.usage == Usage()


async def test_a_count_that_is_none_is_a_failure(
    google: GoogleProvider, upstream: Upstream
) -> None:
    upstream.play(json_answer(b"{}"))

    with pytest.raises(ProviderFailedError, match="count"):
        await google.complete(
            a_request(
                operation=Operation.COUNT_TOKENS, messages=[{"role": "user", "content": "hello"}]
            )
        )
