"""Pictures of one colour, which the prompt decides."""

import base64
import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from adapters.dialects.decoding import decoded
from adapters.providers.scripted.options import ScriptedOptions
from adapters.providers.scripted.pieces import Pieces
from adapters.providers.scripted.reply import count_tokens
from adapters.providers.scripted.wire import CREATED, request_id
from application.inference.ports import EVENTS, ProviderAnswer, ProviderRequest
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage

MAX_IMAGES = 10
MAX_SIDE = 4096
TOKENS_PER_IMAGE = 100
_SIDE = 16
_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})")


class _Body(msgspec.Struct):
    prompt: str
    n: Annotated[int, msgspec.Meta(ge=1, le=MAX_IMAGES)] | None = None
    size: str | None = None
    response_format: Literal["url", "b64_json"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    partial_images: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None


_DECODER = msgspec.json.Decoder(_Body)


def draw(request: ProviderRequest, options: ScriptedOptions) -> ProviderAnswer:
    body = _read(request)
    count = body.n or 1
    usage = _usage(body, options)
    answer = {
        "created": CREATED,
        "data": [_image(body, number) for number in range(count)],
        "usage": _usage_json(usage),
    }
    return ProviderAnswer(
        body=msgspec.json.encode(answer),
        usage=usage,
        provider_request_id=f"scripted-{request_id(request)}",
    )


def draw_in_pieces(request: ProviderRequest, options: ScriptedOptions) -> Pieces:
    body = _read(request)
    if body.n not in (None, 1):
        raise InvalidError("Invalid 'n': one image is streamed at a time.", param="n")
    usage = _usage(body, options)
    return Pieces(blocks=_events(body, usage), usage=usage, content_type=EVENTS)


def _events(body: _Body, usage: Usage) -> Iterator[bytes]:
    picture = _encoded(body, 0)
    for index in range(body.partial_images or 0):
        members = {"b64_json": picture, "partial_image_index": index, "created_at": CREATED}
        yield event("image_generation.partial_image", members)
    members = {"b64_json": picture, "created_at": CREATED, "usage": _usage_json(usage)}
    yield event("image_generation.completed", members)


def event(kind: str, members: dict[str, Any]) -> bytes:
    data = msgspec.json.encode({"type": kind} | members)
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


def png(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """One colour of a palette, so that a large picture is small too."""
    row = b"\x00" + bytes(-(-width // 8))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)),
        (b"PLTE", bytes(colour)),
        (b"IDAT", zlib.compress(row * height)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _read(request: ProviderRequest) -> _Body:
    body = decoded(_DECODER, request.body)
    if body.output_format not in (None, "png"):
        raise UnsupportedByModelError(
            "A scripted model draws PNG and nothing else.", param="output_format"
        )
    return body


def _usage(body: _Body, options: ScriptedOptions) -> Usage:
    images = body.n or 1
    if options.usage is not None:
        used = options.usage
        return Usage(
            prompt_tokens=used.prompt_tokens,
            completion_tokens=used.completion_tokens,
            images=images,
        )
    return Usage(
        prompt_tokens=count_tokens(body.prompt),
        completion_tokens=TOKENS_PER_IMAGE * images,
        images=images,
    )


def _usage_json(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "input_tokens_details": {"text_tokens": usage.prompt_tokens, "image_tokens": 0},
    }


def _image(body: _Body, number: int) -> dict[str, str]:
    picture = _encoded(body, number)
    if body.response_format == "url":
        return {"url": f"data:image/png;base64,{picture}"}
    return {"b64_json": picture}


def _encoded(body: _Body, number: int) -> str:
    red, green, blue = hashlib.sha256(f"{number} {body.prompt}".encode()).digest()[:3]
    width, height = _sides(body.size)
    return base64.b64encode(png(width, height, (red, green, blue))).decode()


def _sides(size: str | None) -> tuple[int, int]:
    if size in (None, "auto"):
        return _SIDE, _SIDE
    found = _SIZE.fullmatch(size or "")
    sides = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(0 < side <= MAX_SIDE for side in sides):
        raise InvalidError(
            f"Invalid 'size': expected 'auto' or a size such as '64x64', up to {MAX_SIDE} a side.",
            param="size",
        )
    return sides
