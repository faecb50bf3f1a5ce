"""Operations beside texts, passed through to a real server and back."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from adapters.providers.openai_compatible.media.operations import MEDIA_OPERATIONS
from adapters.providers.openai_compatible.provider import OpenAICompatibleProvider
from adapters.providers.transport.pool import PoolTransport
from application.inference.ports import Operation, ProviderRequest, ProviderStream
from domain.inference.errors import (
    ProviderFailedError,
    ProviderRejectedError,
    UnsupportedByModelError,
)
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage
from tests.fakes.media_wire import IMAGE_USAGE, a_form, a_sound, a_typed_event, an_upload
from tests.fakes.openai_wire import UPSTREAM_NAME, a_request
from tests.fakes.upstream import (
    LAST_CHUNK,
    Act,
    Upstream,
    answer,
    chunk,
    json_answer,
    running_upstream,
    stream_head,
)

SOUND = a_sound(2.0)
MP3 = b"\xff\xfb\x90\x00" + bytes(range(256)) * 20


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with running_upstream() as server:
        yield server


@pytest.fixture
async def provider(upstream: Upstream) -> AsyncIterator[OpenAICompatibleProvider]:
    built = OpenAICompatibleProvider(
        name="acme",
        base_url=upstream.base_url,
        api_key="sk-canary-0123456789",
        transport=PoolTransport(),
        operations=MEDIA_OPERATIONS,
    )
    yield built
    await built.stop()


def a_rerank(**fields: Any) -> ProviderRequest:
    return a_request(operation=Operation.RERANK, query="q", documents=["a", "b"], **fields)


def an_image(*, stream: bool = False, **fields: Any) -> ProviderRequest:
    return a_request(operation=Operation.IMAGE, prompt="a stoa", stream=stream, **fields)


def a_speech(**fields: object) -> ProviderRequest:
    body: dict[str, object] = {"model": "large", "input": "Grüße!", "voice": "alloy"}
    return ProviderRequest(
        operation=Operation.SPEECH,
        model=a_request().model,
        body=msgspec.json.encode(body | fields),
        correlation_id="c-1",
        stream=True,
    )


async def blocks_of(stream: ProviderStream) -> bytes:
    return b"".join([block async for block in stream])


@pytest.mark.parametrize(
    ("more", "searches"),
    [
        ({"meta": {"billed_units": {"search_units": 3}}}, 3),
        ({"meta": {"billed_units": {"search_units": 3}}, "usage": {"total_tokens": 9}}, 3),
        ({"meta": {"billed_units": "many"}}, 0),
        ({}, 0),
    ],
)
async def test_searches_that_a_reranking_is_billed_as_are_counted(
    upstream: Upstream, provider: OpenAICompatibleProvider, more: dict[str, Any], searches: int
) -> None:
    upstream.play(json_answer(msgspec.json.encode({"results": []} | more)))

    answer = await provider.complete(a_rerank())

    assert answer.usage.searches == searches


async def test_a_reranking_passes_through_under_the_public_name(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    results = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]
    body = {"model": UPSTREAM_NAME, "results": results, "usage": {"total_tokens": 30}}
    upstream.play(json_answer(msgspec.json.encode(body), headers=["x-request-id: req-9"]))

    answer = await provider.complete(a_rerank(top_n=2, extra=[1.0]))

    seen = upstream.requests[0]
    assert seen.target == "/v1/rerank"
    assert seen.json["model"] == UPSTREAM_NAME
    assert seen.json["extra"] == [1.0]
    assert msgspec.json.decode(answer.body) == body | {"model": "large"}
    assert answer.usage == Usage(prompt_tokens=30)
    assert answer.provider_request_id == "req-9"


async def test_without_usage_the_prompt_is_counted(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    upstream.play(json_answer(b'{"id":"modr-1","results":[{"flagged":false}]}'))
    request = a_request(operation=Operation.MODERATION, input="x" * 38)

    answer = await provider.complete(request)

    assert upstream.requests[0].target == "/v1/moderations"
    assert answer.usage == Usage(prompt_tokens=10, counted=True)


@pytest.mark.parametrize("usage", [None, IMAGE_USAGE])
async def test_images_are_counted_and_their_tokens_too(
    upstream: Upstream, provider: OpenAICompatibleProvider, usage: object
) -> None:
    made: dict[str, object] = {"created": 1, "data": [{"b64_json": "AA=="}, {"url": "https://x"}]}
    upstream.play(json_answer(msgspec.json.encode(made | ({"usage": usage} if usage else {}))))

    answer = await provider.complete(an_image(n=2))

    assert answer.usage.images == 2
    assert answer.usage.counted is (usage is None)
    if usage:
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (50, 50)


async def test_partial_images_pass_as_they_come(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    events = [
        a_typed_event("image_generation.partial_image", b64_json="AAAA", partial_image_index=0),
        a_typed_event("image_generation.completed", b64_json="BBBB", usage=IMAGE_USAGE),
    ]
    upstream.play(stream_head(), *(chunk(event) for event in events), LAST_CHUNK)

    stream = await provider.open_stream(an_image(stream=True, partial_images=1))
    blocks = await blocks_of(stream)

    assert upstream.requests[0].json["stream"] is True
    assert "stream_options" not in upstream.requests[0].json
    assert blocks == b"".join(events)
    assert stream.report.usage == Usage(prompt_tokens=50, completion_tokens=50, images=1)
    assert stream.report.content_type == "text/event-stream"


async def test_comments_before_the_first_event_are_not_passed_on(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    last = a_typed_event("image_generation.completed", b64_json="BBBB")
    upstream.play(stream_head(), chunk(b": ping\n\n"), chunk(last + b": bye\n\n"), LAST_CHUNK)

    stream = await provider.open_stream(an_image(stream=True))

    assert await blocks_of(stream) == last + b": bye\n\n"


async def test_each_image_of_a_stream_has_its_own_usage(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    event = a_typed_event("image_generation.completed", b64_json="BBBB", usage=IMAGE_USAGE)
    upstream.play(stream_head(), chunk(event + event), LAST_CHUNK)

    stream = await provider.open_stream(an_image(stream=True, n=2))
    await blocks_of(stream)

    assert stream.report.usage == Usage(prompt_tokens=100, completion_tokens=100, images=2)


async def test_a_stream_that_ends_before_its_last_event_has_failed(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    event = a_typed_event("image_generation.partial_image", b64_json="AAAA")
    upstream.play(stream_head(), chunk(event), LAST_CHUNK)
    stream = await provider.open_stream(an_image(stream=True))

    with pytest.raises(ProviderFailedError, match="terminator"):
        await blocks_of(stream)

    assert stream.report.usage.images == 1
    assert stream.report.usage.counted


async def test_an_error_inside_a_stream_is_raised(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    error = {"message": "no such picture", "type": "invalid_request_error", "code": "moderation"}
    upstream.play(stream_head(), chunk(a_typed_event("error", error=error)), LAST_CHUNK)
    stream = await provider.open_stream(an_image(stream=True))

    with pytest.raises(ProviderRejectedError, match="no such picture"):
        await blocks_of(stream)


async def test_an_upload_arrives_byte_for_byte_under_the_name_of_the_provider(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    usage = {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
        "output_tokens": 5,
        "total_tokens": 19,
    }
    upstream.play(json_answer(msgspec.json.encode({"text": "hello", "usage": usage})))

    answer = await provider.complete(an_upload(SOUND, language="en"))

    seen = upstream.requests[0]
    assert seen.target == "/v1/audio/transcriptions"
    assert seen.headers["content-type"] == "multipart/form-data; boundary=stoa-test-boundary"
    assert seen.body == a_form(SOUND, model=UPSTREAM_NAME, language="en")
    assert answer.usage == Usage(prompt_tokens=14, audio_input_tokens=10, completion_tokens=5)


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        ({"usage": {"type": "duration", "seconds": 9}}, Usage(seconds=Decimal(9))),
        ({"duration": 8.47}, Usage(seconds=Decimal("8.47"))),
        ({"duration": "8.5"}, Usage(seconds=Decimal("8.5"))),
        ({"duration": "long"}, Usage(seconds=Decimal("2.0"), counted=True)),
        ({"duration": 1e300}, Usage(seconds=Decimal("2.0"), counted=True)),
        ({}, Usage(seconds=Decimal("2.0"), counted=True)),
    ],
)
async def test_what_was_heard_is_measured_in_seconds(
    upstream: Upstream,
    provider: OpenAICompatibleProvider,
    said: dict[str, object],
    usage: Usage,
) -> None:
    upstream.play(json_answer(msgspec.json.encode({"text": "hello"} | said)))

    answer = await provider.complete(an_upload(SOUND))

    assert answer.usage == usage


async def test_transcripts_that_are_no_json_pass_as_they_are(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    subtitles = b"WEBVTT\n\n00:00.000 --> 00:02.000\nhello\n"
    upstream.play(answer(subtitles, content_type="text/vtt; charset=utf-8"))

    answered = await provider.complete(an_upload(SOUND, response_format="vtt"))

    assert answered.body == subtitles
    assert answered.content_type == "text/vtt; charset=utf-8"
    assert answered.usage == Usage(seconds=Decimal("2.0"), counted=True)


async def test_a_transcript_is_streamed(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "total_tokens": 19}
    events = [
        a_typed_event("transcript.text.delta", delta="hel"),
        a_typed_event("transcript.text.done", text="hello", usage=usage),
    ]
    upstream.play(stream_head(), *(chunk(event) for event in events), LAST_CHUNK)

    stream = await provider.open_stream(an_upload(SOUND, stream=True))

    assert await blocks_of(stream) == b"".join(events)
    assert stream.report.usage == Usage(prompt_tokens=14, completion_tokens=5)


async def test_a_model_that_does_not_stream_transcripts_answers_in_one_piece(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    body = b'{"text":"hello","usage":{"type":"duration","seconds":2}}'
    upstream.play(json_answer(body))

    stream = await provider.open_stream(an_upload(SOUND, stream=True))

    assert await blocks_of(stream) == body
    assert stream.report.content_type == "application/json"
    assert stream.report.usage == Usage(seconds=Decimal(2))


async def test_images_of_a_model_that_does_not_stream_are_the_last_events_of_one(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    made = {"created": 7, "data": [{"b64_json": "AA"}, {"b64_json": "BB"}], "usage": IMAGE_USAGE}
    upstream.play(json_answer(msgspec.json.encode(made)))

    stream = await provider.open_stream(an_image(stream=True, n=2))
    lines = (await blocks_of(stream)).split(b"\n")

    told = [msgspec.json.decode(one[6:]) for one in lines if one.startswith(b"data: ")]
    assert [event["b64_json"] for event in told] == ["AA", "BB"]
    assert {event["type"] for event in told} == {"image_generation.completed"}
    assert "usage" not in told[0]
    assert told[1]["usage"] == IMAGE_USAGE
    assert stream.report.content_type == "text/event-stream"
    assert stream.report.usage == Usage(prompt_tokens=50, completion_tokens=50, images=2)


@pytest.mark.parametrize(
    ("request_", "answered", "says"),
    [
        (an_image(stream=True), json_answer(b'{"data":[{"url":"x"}]}'), "stream of events"),
        (an_image(stream=True), json_answer(b'{"error":{"message":"no"}}'), "failed"),
        (a_speech(), json_answer(b'{"error":{"message":"no"}}'), "failed"),
        (a_speech(), json_answer(b'{"sound":"x"}'), "none of 'audio/speech'"),
        (a_speech(), answer(b"<html>", content_type="text/html"), "no JSON object"),
        (
            an_upload(SOUND, stream=True),
            answer(b"<html>", content_type="text/html"),
            "no JSON object",
        ),
    ],
)
async def test_what_is_neither_a_stream_nor_an_answer_is_a_failure(
    upstream: Upstream,
    provider: OpenAICompatibleProvider,
    request_: ProviderRequest,
    answered: bytes,
    says: str,
) -> None:
    upstream.play(answered)

    with pytest.raises(ProviderFailedError, match=says):
        await provider.open_stream(request_)


async def test_a_page_of_a_proxy_is_no_answer(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    page = answer(b"<html>log in</html>", content_type="text/html")
    upstream.play(page)
    upstream.play(page)

    with pytest.raises(ProviderFailedError):
        await provider.complete(a_rerank())
    with pytest.raises(ProviderFailedError):
        await provider.complete(an_upload(SOUND))


async def test_sound_is_passed_on_as_it_arrives(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    upstream.play(stream_head("audio/mpeg"), chunk(MP3[:100]), chunk(MP3[100:]), LAST_CHUNK)

    stream = await provider.open_stream(a_speech())

    assert await blocks_of(stream) == MP3
    assert stream.report.content_type == "audio/mpeg"
    assert stream.report.usage.characters == 6
    assert "stream" not in upstream.requests[0].json
    assert upstream.requests[0].target == "/v1/audio/speech"


async def test_sound_that_breaks_off_has_failed(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    upstream.play(stream_head("audio/mpeg"), chunk(MP3[:100]), Act.RESET)
    stream = await provider.open_stream(a_speech())

    with pytest.raises(ProviderFailedError, match="broke the connection"):
        await blocks_of(stream)

    await stream.aclose()


async def test_leaving_a_sound_aborts_it(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    upstream.play(stream_head("audio/mpeg"), chunk(MP3), Act.HANG)
    stream = await provider.open_stream(a_speech())
    await anext(aiter(stream))

    await stream.aclose()

    await upstream.requests[0].disconnected.wait()


async def test_sound_in_events_says_what_was_used(
    upstream: Upstream, provider: OpenAICompatibleProvider
) -> None:
    usage = {"input_tokens": 7, "output_tokens": 40, "total_tokens": 47}
    done = a_typed_event("speech.audio.done", usage=usage)
    upstream.play(stream_head(), chunk(a_typed_event("speech.audio.delta", audio="AA==") + done))
    upstream.scripts[0] = [*upstream.scripts[0], LAST_CHUNK]

    stream = await provider.open_stream(a_speech(stream_format="sse"))
    await blocks_of(stream)

    assert stream.report.usage == Usage(prompt_tokens=7, completion_tokens=40, characters=6)


async def test_what_cannot_be_streamed_is_refused(provider: OpenAICompatibleProvider) -> None:
    with pytest.raises(UnsupportedByModelError, match="'rerank' cannot be streamed"):
        await provider.open_stream(a_rerank())


async def test_an_operation_that_is_not_offered_is_refused(
    provider: OpenAICompatibleProvider,
) -> None:
    with pytest.raises(UnsupportedByModelError, match="does not offer 'chat/completions'"):
        await provider.complete(a_request())


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b'{"error":{"message":"bad","type":"invalid_request_error"}}', ProviderRejectedError, "b"),
        (b'{"choices":[]}', ProviderFailedError, "none of 'rerank'"),
        (b"[1]", ProviderFailedError, "no JSON object"),
        (b"<html>", ProviderFailedError, "no JSON object"),
    ],
)
async def test_what_is_no_answer_is_a_failure(
    upstream: Upstream,
    provider: OpenAICompatibleProvider,
    body: bytes,
    kind: type[Exception],
    says: str,
) -> None:
    upstream.play(json_answer(body))

    with pytest.raises(kind, match=says):
        await provider.complete(a_rerank())


async def test_a_second_model_cannot_be_smuggled_in(provider: OpenAICompatibleProvider) -> None:
    with pytest.raises(InvalidError, match="'MODEL'"):
        await provider.complete(a_rerank(MODEL="dear"))
