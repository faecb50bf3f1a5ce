"""What the data plane reads of requests beside texts: images, audio, moderations and reranking.

As with texts, whatever is not typed here goes to the provider as it came.
"""

from decimal import Decimal
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from adapters.dialects.audio_length import seconds_of
from adapters.dialects.decoding import decoded, invalid
from adapters.dialects.multipart import read_form
from adapters.http.data_plane.asked import Asked
from adapters.http.openai.requests import Choices, JsonObject, ModelName, Positive
from application.inference.call_policy import DEFAULT_MODEL
from domain.shared.usage import Usage

TRANSCRIPT_FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
# What those who bill rankings by searches count as one.
_DOCUMENTS_OF_A_SEARCH, _TOKENS_OF_A_DOCUMENT = 100, 500
_FLAGS = {"true": True, "1": True, "false": False, "0": False, None: False}
Text = Annotated[str, Meta(min_length=1)]
T = TypeVar("T")


class RerankRequest(Struct, kw_only=True):
    """Cohere's and Jina's shape; OpenAI has none."""

    model: ModelName
    query: Text
    documents: Annotated[list[str | JsonObject], Meta(min_length=1)]
    top_n: Positive | None = None
    return_documents: bool | None = None


class ModerationRequest(Struct, kw_only=True):
    input: Text | Annotated[list[str | JsonObject], Meta(min_length=1)]
    model: ModelName = DEFAULT_MODEL


class ImageRequest(Struct, kw_only=True):
    prompt: Text
    model: ModelName = DEFAULT_MODEL
    n: Choices | None = None
    size: str | None = None
    quality: str | None = None
    response_format: Literal["url", "b64_json"] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, Meta(ge=0, le=3)] | None = None
    user: str | None = None


class SpeechRequest(Struct, kw_only=True):
    model: ModelName
    input: Text
    voice: Text | JsonObject
    response_format: str | None = None
    speed: float | None = None
    stream_format: Literal["sse", "audio"] | None = None
    instructions: str | None = None


_rerank = msgspec.json.Decoder(RerankRequest)
_moderation = msgspec.json.Decoder(ModerationRequest)
_image = msgspec.json.Decoder(ImageRequest)
_speech = msgspec.json.Decoder(SpeechRequest)


class _Streaming(Struct):
    stream: Raw = Raw(b"null")


_streaming = msgspec.json.Decoder(_Streaming)


def read_rerank(body: bytes, _: str) -> Asked:
    request = _unstreamed(_rerank, body)
    # No more than that: long documents count several times, and a token is a byte at least.
    counted = len(request.documents) + len(body) // _TOKENS_OF_A_DOCUMENT
    searches = -(-counted // _DOCUMENTS_OF_A_SEARCH)
    return Asked(model=request.model, expected=Usage(searches=searches, counted=True))


def read_moderation(body: bytes, _: str) -> Asked:
    request = _unstreamed(_moderation, body)
    return Asked(model=request.model)


def read_image(body: bytes, _: str) -> Asked:
    request = decoded(_image, body)
    return Asked(
        model=request.model,
        stream=bool(request.stream),
        prompt_bytes=len(request.prompt.encode()),
        choices=request.n or 1,
        expected=Usage(images=request.n or 1, counted=True),
        user=request.user,
    )


def read_speech(body: bytes, _: str) -> Asked:
    """Sound is passed on as it arrives, whether or not the client calls that a stream."""
    request = decoded(_speech, body)
    spoken = len(request.input.encode()) + len((request.instructions or "").encode())
    return Asked(
        model=request.model,
        stream=True,
        prompt_bytes=spoken,
        expected=Usage(characters=len(request.input), counted=True),
    )


def read_transcription(body: bytes, content_type: str) -> Asked:
    form = read_form(body, content_type)
    model, file = form.text("model"), form.file("file")
    if not model or len(model) > 256:  # noqa: PLR2004 - as every model's name
        raise _missing("model") if not model else invalid("model", "Invalid value for 'model'.")
    if file is None:
        raise _missing("file")
    if not len(file.content):
        raise invalid("file", "Invalid value for 'file': it is empty.")
    wanted = form.text("response_format")
    if wanted is not None and wanted not in TRANSCRIPT_FORMATS:
        known = ", ".join(TRANSCRIPT_FORMATS)
        raise invalid("response_format", f"Invalid value for 'response_format': use {known}.")
    stream = form.text("stream")
    if stream not in _FLAGS:
        raise invalid("stream", "Invalid value for 'stream': expected true or false.")
    return Asked(
        model=model,
        stream=_FLAGS[stream],
        prompt_bytes=len((form.text("prompt") or "").encode()),
        expected=Usage(seconds=max(seconds_of(file.content), Decimal("0.1")), counted=True),
    )


def _unstreamed(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    request = decoded(decoder, body)
    if bytes(decoded(_streaming, body).stream) not in (b"null", b"false"):
        raise invalid("stream", "The 'stream' parameter is not supported here.")
    return request


def _missing(name: str) -> Exception:
    return invalid(name, f"Missing required parameter: '{name}'.")
