import base64
import io
import json
import struct
import wave
import zlib
from decimal import Decimal
from typing import Any

import pytest

from adapters.providers.scripted.provider import ScriptedProvider
from application.inference.ports import Operation, ProviderRequest, ProviderStream
from domain.inference.errors import ProviderFailedError, UnsupportedByModelError
from domain.models.served_model import ServedModel
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage
from tests.fakes.media_wire import a_sound, an_upload
from tests.fakes.openai_wire import a_model, a_request


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider(name="acme")


def asking(operation: Operation, model: ServedModel | None = None, **fields: Any) -> Any:
    return a_request(model, operation=operation, **fields)


async def answer(provider: ScriptedProvider, request: ProviderRequest) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((await provider.complete(request)).body)
    return body


async def collect(stream: ProviderStream) -> bytes:
    return b"".join([block async for block in stream])


def events(blocks: bytes) -> list[dict[str, Any]]:
    lines = [line for line in blocks.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line.removeprefix(b"data: ")) for line in lines]


async def test_documents_are_ranked_by_the_words_that_they_share_with_the_query(
    provider: ScriptedProvider,
) -> None:
    documents = ["nothing of it", "the painted Stoa", {"text": "a painted porch"}]
    request = asking(
        Operation.RERANK,
        query="painted stoa",
        documents=documents,
        top_n=2,
        return_documents=True,
    )

    body = await answer(provider, request)

    assert body["model"] == "large"
    assert body["results"] == [
        {"index": 1, "relevance_score": 1.0, "document": {"text": "the painted Stoa"}},
        {"index": 2, "relevance_score": 0.5, "document": {"text": "a painted porch"}},
    ]
    assert body["usage"] == {"prompt_tokens": 11, "total_tokens": 11}


async def test_a_document_without_text_cannot_be_ranked(provider: ScriptedProvider) -> None:
    request = asking(Operation.RERANK, query="x", documents=["a", {"image": "y"}])

    with pytest.raises(UnsupportedByModelError) as caught:
        await provider.complete(request)

    assert caught.value.param == "documents[1]"


async def test_texts_are_flagged_for_the_words_of_the_options(provider: ScriptedProvider) -> None:
    model = a_model(flagged_words={"violence": ["stab"], "spam": ["buy"]})
    parts = [{"type": "text", "text": "Buy!"}, {"type": "image_url", "image_url": {"url": "x"}}]

    texts = await answer(provider, asking(Operation.MODERATION, model, input=["Stab", "stable"]))
    mixed = await answer(provider, asking(Operation.MODERATION, model, input=parts))

    assert [result["flagged"] for result in texts["results"]] == [True, False]
    assert texts["results"][0]["categories"]["violence"] is True
    assert texts["results"][0]["category_scores"]["hate"] == 0.0
    assert [result["categories"]["spam"] for result in mixed["results"]] == [True]


def picture(encoded: str) -> tuple[int, int]:
    """Width and height of a PNG whose every chunk is sound."""
    data = base64.b64decode(encoded)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    position, size = 8, (0, 0)
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        chunk = data[position + 4 : position + 8 + length]
        assert struct.unpack_from(">I", data, position + 8 + length)[0] == zlib.crc32(chunk)
        if chunk.startswith(b"IHDR"):
            size = struct.unpack_from(">II", chunk, 4)
        if chunk.startswith(b"IDAT"):
            assert len(zlib.decompress(chunk[4:])) == size[1] * (1 + -(-size[0] // 8))
        position += 12 + length
    return size


async def test_pictures_are_png_of_the_size_that_is_asked_for(provider: ScriptedProvider) -> None:
    given = await provider.complete(asking(Operation.IMAGE, prompt="a stoa", n=2, size="64x32"))
    body = json.loads(given.body)

    assert [picture(one["b64_json"]) for one in body["data"]] == [(64, 32), (64, 32)]
    assert body["data"][0] != body["data"][1]
    assert given.usage == Usage(prompt_tokens=2, completion_tokens=200, images=2)


async def test_a_picture_may_be_an_url(provider: ScriptedProvider) -> None:
    body = await answer(provider, asking(Operation.IMAGE, prompt="x", response_format="url"))

    assert body["data"][0]["url"].startswith("data:image/png;base64,")


async def test_a_picture_may_come_in_pieces(provider: ScriptedProvider) -> None:
    request = asking(Operation.IMAGE, prompt="x", stream=True, partial_images=2)

    stream = await provider.open_stream(request)
    told = events(await collect(stream))

    assert [one["type"].split(".")[1] for one in told] == ["partial_image"] * 2 + ["completed"]
    assert picture(told[-1]["b64_json"]) == (16, 16)
    assert stream.report.usage.images == 1
    assert provider.in_flight == 0


@pytest.mark.parametrize("size", ["large", "0x5", "5000x5", "9x9x9"])
async def test_a_size_that_is_none_is_refused(provider: ScriptedProvider, size: str) -> None:
    with pytest.raises(InvalidError, match="'size'"):
        await provider.complete(asking(Operation.IMAGE, prompt="x", size=size))


async def test_speech_lasts_as_long_as_it_has_characters(provider: ScriptedProvider) -> None:
    request = asking(Operation.SPEECH, input="x" * 100, voice="alloy", speed=2)

    stream = await provider.open_stream(request)
    sound = await collect(stream)

    with wave.open(io.BytesIO(sound)) as heard:
        assert heard.getnframes() / heard.getframerate() == pytest.approx(3.0)
    assert stream.report.content_type == "audio/wav"
    assert stream.report.usage.characters == 100
    assert (await provider.complete(request)).body == sound


async def test_speech_may_come_as_events(provider: ScriptedProvider) -> None:
    request = asking(Operation.SPEECH, input="one two", voice="a", stream_format="sse")

    stream = await provider.open_stream(request)
    told = events(await collect(stream))

    sound = b"".join(base64.b64decode(one["audio"]) for one in told[:-1])
    assert sound.startswith(b"RIFF")
    assert told[-1]["usage"]["input_tokens"] == 2
    assert stream.report.content_type == "text/event-stream"


async def test_speech_breaks_off_where_it_is_told_to(provider: ScriptedProvider) -> None:
    model = a_model(cut_after=1)
    stream = await provider.open_stream(
        asking(Operation.SPEECH, model, input="x" * 1000, voice="a")
    )

    with pytest.raises(ProviderFailedError, match="terminator"):
        await collect(stream)


async def test_a_format_that_cannot_be_spoken_is_refused(provider: ScriptedProvider) -> None:
    request = asking(Operation.SPEECH, input="x", voice="a", response_format="opus")

    with pytest.raises(UnsupportedByModelError, match="'wav' and 'pcm'"):
        await provider.open_stream(request)


async def test_a_recording_is_as_long_as_it_is(provider: ScriptedProvider) -> None:
    given = await provider.complete(an_upload(a_sound(2.5)))

    assert json.loads(given.body) == {
        "text": "A recording of 2.5 seconds.",
        "usage": {"type": "duration", "seconds": 2.5},
    }
    assert given.usage == Usage(seconds=Decimal("2.5"))


@pytest.mark.parametrize(
    ("wanted", "content_type", "says"),
    [
        ("text", "text/plain; charset=utf-8", "hello\n"),
        ("srt", "text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:02,500\nhello\n\n"),
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> 00:00:02.500\nhello\n\n"),
    ],
)
async def test_transcripts_have_the_format_that_is_asked_for(
    provider: ScriptedProvider, wanted: str, content_type: str, says: str
) -> None:
    upload = an_upload(a_sound(2.5), response_format=wanted)
    request = ProviderRequest(
        operation=upload.operation,
        model=a_model(transcript="hello"),
        body=upload.body,
        content_type=upload.content_type,
        correlation_id="c-1",
    )

    given = await provider.complete(request)

    assert given.content_type == content_type
    assert given.body.decode() == says


async def test_a_verbose_transcript_has_segments(provider: ScriptedProvider) -> None:
    body = await answer(provider, an_upload(a_sound(2.5), response_format="verbose_json"))

    assert body["duration"] == 2.5
    assert body["segments"][0]["end"] == 2.5


async def test_a_transcript_is_streamed_word_by_word(provider: ScriptedProvider) -> None:
    stream = await provider.open_stream(an_upload(a_sound(1.0), stream=True))

    told = events(await collect(stream))

    assert [one["delta"] for one in told[:-1]] == ["A ", "recording ", "of ", "1.0 ", "seconds. "]
    assert told[-1]["type"] == "transcript.text.done"


async def test_subtitles_cannot_be_streamed(provider: ScriptedProvider) -> None:
    with pytest.raises(UnsupportedByModelError, match="Only JSON"):
        await provider.open_stream(an_upload(a_sound(), stream=True, response_format="srt"))
