import json
from decimal import Decimal
from typing import Any

import pytest

from adapters.http.data_plane.asked import Asked
from adapters.http.openai.served import OPENAI
from application.inference.ports import Operation
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage
from tests.fakes.media_wire import FORM_TYPE, a_form, a_sound

RERANK = {"model": "m", "query": "q", "documents": ["a", {"text": "b"}]}
SPEECH = {"model": "m", "input": "Grüße!", "voice": "alloy"}


def read(operation: Operation, **body: Any) -> Asked:
    return OPENAI[operation].read(json.dumps(body).encode(), "application/json")


def upload(sound: bytes | None = None, **fields: Any) -> Asked:
    body = a_form(a_sound(2.0) if sound is None else sound, **fields)
    return OPENAI[Operation.TRANSCRIPTION].read(body, FORM_TYPE)


def test_a_reranking_is_read() -> None:
    many = RERANK | {"documents": ["a"] * 150 + ["long " * 6_000]}

    asked = read(Operation.RERANK, **RERANK, top_n=1, anything=2)

    assert asked == Asked(model="m", expected=Usage(searches=1, counted=True))
    assert read(Operation.RERANK, **many).expected.searches == 3


def test_a_moderation_may_leave_the_choice_of_its_model() -> None:
    assert read(Operation.MODERATION, input="x") == Asked(model="default")
    assert read(Operation.MODERATION, input=[{"type": "text", "text": "x"}], model="m") == Asked(
        model="m"
    )


def test_an_image_expects_as_many_as_are_asked_for() -> None:
    asked = read(Operation.IMAGE, prompt="a stoa", n=3, stream=True, user="ann")

    assert asked == Asked(
        model="default",
        stream=True,
        prompt_bytes=6,
        choices=3,
        expected=Usage(images=3, counted=True),
        user="ann",
    )


def test_speech_is_always_a_stream_and_expects_its_characters() -> None:
    asked = read(Operation.SPEECH, **SPEECH, instructions="slowly")

    assert asked == Asked(
        model="m",
        stream=True,
        prompt_bytes=8 + 6,
        expected=Usage(characters=6, counted=True),
    )


def test_a_transcription_expects_the_seconds_of_its_recording() -> None:
    asked = upload(model="m", prompt="Zeno", stream="true")

    assert asked == Asked(
        model="m",
        stream=True,
        prompt_bytes=4,
        expected=Usage(seconds=Decimal("2.0"), counted=True),
    )


@pytest.mark.parametrize("stream", ["false", "0", None])
def test_a_transcription_comes_in_one_piece_unless_it_is_asked_otherwise(
    stream: str | None,
) -> None:
    fields: dict[str, Any] = {} if stream is None else {"stream": stream}

    assert not upload(model="m", **fields).stream


@pytest.mark.parametrize(
    ("operation", "body", "param"),
    [
        (Operation.RERANK, {"query": "q", "documents": ["a"]}, "model"),
        (Operation.RERANK, RERANK | {"query": ""}, "query"),
        (Operation.RERANK, RERANK | {"documents": []}, "documents"),
        (Operation.RERANK, RERANK | {"documents": [1]}, "documents[0]"),
        (Operation.RERANK, RERANK | {"top_n": 0}, "top_n"),
        (Operation.RERANK, RERANK | {"stream": True}, "stream"),
        (Operation.MODERATION, {}, "input"),
        (Operation.MODERATION, {"input": []}, "input"),
        (Operation.MODERATION, {"input": "x", "stream": True}, "stream"),
        (Operation.IMAGE, {"model": "m"}, "prompt"),
        (Operation.IMAGE, {"prompt": "x", "n": 0}, "n"),
        (Operation.IMAGE, {"prompt": "x", "response_format": "png"}, "response_format"),
        (Operation.IMAGE, {"prompt": "x", "partial_images": 4}, "partial_images"),
        (Operation.SPEECH, {"model": "m", "voice": "alloy"}, "input"),
        (Operation.SPEECH, SPEECH | {"input": ""}, "input"),
        (Operation.SPEECH, {"model": "m", "input": "x"}, "voice"),
        (Operation.SPEECH, SPEECH | {"stream_format": "mp3"}, "stream_format"),
    ],
)
def test_wrong_input_is_refused_by_name(
    operation: Operation, body: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        read(operation, **body)

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "model"),
        ({"model": ""}, "model"),
        ({"model": "m" * 257}, "model"),
        ({"model": "m", "response_format": "docx"}, "response_format"),
        ({"model": "m", "stream": "perhaps"}, "stream"),
    ],
)
def test_wrong_fields_of_an_upload_are_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidError) as caught:
        upload(**fields)

    assert caught.value.param == param


def test_an_upload_needs_a_file_with_something_in_it() -> None:
    with pytest.raises(InvalidError, match="empty"):
        upload(b"", model="m")
    with pytest.raises(InvalidError, match="Missing required parameter: 'file'"):
        OPENAI[Operation.TRANSCRIPTION].read(
            a_form(b"x", model="m").replace(b'name="file"', b'name="sound"'), FORM_TYPE
        )


def test_an_upload_is_a_form() -> None:
    with pytest.raises(InvalidError, match="multipart/form-data"):
        OPENAI[Operation.TRANSCRIPTION].read(b"{}", "application/json")
