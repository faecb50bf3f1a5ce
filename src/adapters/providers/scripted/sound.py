"""Speech as a tone that lasts as long as the words would."""

import base64
import math
import struct
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from adapters.dialects.decoding import decoded
from adapters.providers.scripted.options import ScriptedOptions
from adapters.providers.scripted.pictures import event
from adapters.providers.scripted.pieces import Pieces
from adapters.providers.scripted.reply import count_tokens
from adapters.providers.scripted.wire import request_id
from application.inference.ports import EVENTS, ProviderAnswer, ProviderRequest
from domain.inference.errors import UnsupportedByModelError
from domain.shared.usage import Usage

RATE = 8000
SECONDS_PER_CHARACTER = 0.06
MAX_CHARACTERS = 4096
_PIECE_BYTES = 16_384
_PERIOD = struct.pack(
    "<20h", *(int(8000 * math.sin(2 * math.pi * step / 20)) for step in range(20))
)
_TYPES = {None: "audio/wav", "wav": "audio/wav", "pcm": "audio/pcm"}


class _Body(msgspec.Struct):
    input: Annotated[str, msgspec.Meta(max_length=MAX_CHARACTERS)]
    response_format: str | None = None
    speed: Annotated[float, msgspec.Meta(ge=0.25, le=4)] | None = None
    stream_format: Literal["sse", "audio"] | None = None


_DECODER = msgspec.json.Decoder(_Body)


def speak(request: ProviderRequest, options: ScriptedOptions) -> ProviderAnswer:
    pieces = speak_in_pieces(request, options)
    return ProviderAnswer(
        body=b"".join(pieces.blocks),
        usage=pieces.usage,
        content_type=pieces.content_type,
        provider_request_id=f"scripted-{request_id(request)}",
    )


def speak_in_pieces(request: ProviderRequest, options: ScriptedOptions) -> Pieces:
    body = decoded(_DECODER, request.body)
    if body.response_format not in _TYPES:
        raise UnsupportedByModelError(
            "A scripted model speaks 'wav' and 'pcm' and nothing else.", param="response_format"
        )
    usage = _usage(body, options)
    if body.stream_format == "sse":
        return Pieces(blocks=_events(body, usage), usage=usage, content_type=EVENTS)
    content_type = _TYPES[body.response_format]
    return Pieces(blocks=_sound(body), usage=usage, content_type=content_type)


def tone(seconds: float) -> bytes:
    """Samples of 16 bits, one channel."""
    size = int(seconds * RATE) * 2
    return (_PERIOD * (size // len(_PERIOD) + 1))[:size]


def wav_head(data_bytes: int) -> bytes:
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16),
        *(b"data", data_bytes),
    )


def _sound(body: _Body) -> Iterator[bytes]:
    samples = tone(len(body.input) * SECONDS_PER_CHARACTER / (body.speed or 1))
    whole = samples if body.response_format == "pcm" else wav_head(len(samples)) + samples
    for start in range(0, len(whole), _PIECE_BYTES):
        yield whole[start : start + _PIECE_BYTES]


def _events(body: _Body, usage: Usage) -> Iterator[bytes]:
    for piece in _sound(body):
        yield event("speech.audio.delta", {"audio": base64.b64encode(piece).decode()})
    counts: dict[str, Any] = {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
    yield event("speech.audio.done", {"usage": counts})


def _usage(body: _Body, options: ScriptedOptions) -> Usage:
    prompt, completion = count_tokens(body.input), 0
    if options.usage is not None:
        prompt, completion = options.usage.prompt_tokens, options.usage.completion_tokens
    return Usage(prompt_tokens=prompt, completion_tokens=completion, characters=len(body.input))
