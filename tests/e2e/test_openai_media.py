"""Images, audio, moderations and reranking, over the wire."""

import base64
import io
import wave
from decimal import Decimal

import httpx
import pytest
from openai import BadRequestError, OpenAI

from tests.fakes.media_wire import a_sound
from tests.fixtures.ledger import call_of

HEARD = "Wherever I look, I see a painted porch."
PNG = b"\x89PNG\r\n\x1a\n"
TEXT = "The porch of many colours. " * 20


@pytest.fixture
def recording() -> tuple[str, bytes, str]:
    return ("porch.wav", a_sound(2.5), "audio/wav")


def test_draws_for_the_official_client(openai: OpenAI) -> None:
    answer = openai.images.generate(model="painter", prompt="a stoa", n=2, size="256x256")

    assert answer.data is not None
    assert [base64.b64decode(one.b64_json or "")[:8] for one in answer.data] == [PNG, PNG]
    assert answer.usage is not None
    assert answer.usage.input_tokens == 2


def test_the_ledger_counts_what_was_drawn(openai: OpenAI, http: httpx.Client) -> None:
    answer = openai.images.with_raw_response.generate(model="painter", prompt="a stoa", n=3)

    call = call_of(http, answer.headers["x-request-id"])
    assert call["endpoint"] == "/v1/images/generations"
    assert call["images"] == 3
    assert Decimal(call["cost"]) == Decimal("0.12")


def test_streams_partial_images_to_the_official_client(openai: OpenAI) -> None:
    stream = openai.images.generate(model="painter", prompt="a stoa", stream=True, partial_images=2)

    kinds = [event.type for event in stream]

    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


def test_hears_for_the_official_client(
    openai: OpenAI, http: httpx.Client, recording: tuple[str, bytes, str]
) -> None:
    answer = openai.audio.transcriptions.with_raw_response.create(model="listener", file=recording)

    assert answer.parse().text == HEARD
    call = call_of(http, answer.headers["x-request-id"])
    assert Decimal(call["seconds"]) == Decimal("2.5")
    assert Decimal(call["cost"]) == Decimal("0.00025")


def test_writes_subtitles(http: httpx.Client, recording: tuple[str, bytes, str]) -> None:
    fields = {"model": "listener", "response_format": "vtt"}

    answer = http.post("/v1/audio/transcriptions", data=fields, files={"file": recording})

    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    assert answer.text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:02.500\n")


def test_streams_a_transcript_to_the_official_client(
    openai: OpenAI, recording: tuple[str, bytes, str]
) -> None:
    stream = openai.audio.transcriptions.create(model="listener", file=recording, stream=True)

    events = list(stream)

    said = "".join(event.delta for event in events if event.type == "transcript.text.delta")
    assert said.strip() == HEARD
    assert events[-1].type == "transcript.text.done"


def test_a_form_without_a_recording_is_refused(http: httpx.Client) -> None:
    answer = http.post("/v1/audio/transcriptions", files={"model": (None, "listener")})

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "file"


def test_what_is_no_form_is_refused(http: httpx.Client) -> None:
    answer = http.post("/v1/audio/transcriptions", json={"model": "listener"})

    assert answer.status_code == 400
    assert "multipart/form-data" in answer.json()["error"]["message"]


def test_speaks_to_the_official_client(openai: OpenAI, http: httpx.Client) -> None:
    answer = openai.audio.speech.with_raw_response.create(
        model="speaker", input=TEXT, voice="alloy"
    )

    with wave.open(io.BytesIO(answer.content)) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(len(TEXT) * 0.06)
    assert answer.headers["content-type"] == "audio/wav"
    call = call_of(http, answer.headers["x-request-id"])
    assert call["characters"] == len(TEXT)
    assert Decimal(call["cost"]) == 15 * Decimal(len(TEXT)) / 1_000_000


def test_sound_arrives_as_it_is_made(http: httpx.Client) -> None:
    body = {"model": "stuck-speaker", "input": TEXT, "voice": "alloy"}

    with http.stream("POST", "/v1/audio/speech", json=body) as answer:
        first = next(answer.iter_raw())

    assert first.startswith(b"RIFF")


def test_hanging_up_on_a_speaker_ends_the_call(http: httpx.Client) -> None:
    body = {"model": "stuck-speaker", "input": TEXT, "voice": "alloy"}

    with http.stream("POST", "/v1/audio/speech", json=body) as answer:
        next(answer.iter_raw())
        request_id = answer.headers["x-request-id"]

    assert call_of(http, request_id)["status"] == "cancelled"


def test_sound_that_breaks_off_cannot_be_taken_for_whole(http: httpx.Client) -> None:
    body = {"model": "hoarse-speaker", "input": TEXT, "voice": "alloy"}

    with (
        pytest.raises(httpx.RemoteProtocolError),
        http.stream("POST", "/v1/audio/speech", json=body) as answer,
    ):
        answer.read()


def test_speech_comes_as_events_if_it_is_asked_for_them(http: httpx.Client) -> None:
    body = {"model": "speaker", "input": "hello", "voice": "alloy", "stream_format": "sse"}

    answer = http.post("/v1/audio/speech", json=body)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "speech.audio.done" in answer.text


def test_judges_for_the_official_client(openai: OpenAI) -> None:
    answer = openai.moderations.create(model="judge", input=["hello", "you fool"])

    assert [result.flagged for result in answer.results] == [False, True]
    assert answer.results[1].categories.harassment is True


def test_the_default_judges_if_no_model_is_named(openai: OpenAI) -> None:
    answer = openai.moderations.create(input="I stab")

    assert answer.results[0].flagged


def test_ranks_documents(http: httpx.Client) -> None:
    body = {
        "model": "ranker",
        "query": "painted porch",
        "documents": ["a garden", "a painted porch", {"text": "a porch"}],
        "top_n": 2,
        "return_documents": True,
    }

    answer = http.post("/v1/rerank", json=body)

    ranked = answer.json()["results"]
    assert [one["index"] for one in ranked] == [1, 2]
    assert ranked[1]["document"] == {"text": "a porch"}
    call = call_of(http, answer.headers["x-request-id"])
    assert Decimal(call["cost"]) == Decimal("0.002")


def test_a_model_of_another_kind_is_refused(openai: OpenAI, http: httpx.Client) -> None:
    with pytest.raises(BadRequestError) as caught:
        openai.images.generate(model="echo", prompt="x")

    assert caught.value.code == "WRONG_MODEL_KIND" or "chat" in caught.value.message
    answer = http.post("/v1/rerank", json={"model": "echo", "query": "a", "documents": ["a"]})
    assert answer.status_code == 400
