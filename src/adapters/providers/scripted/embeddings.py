import base64
import hashlib
import struct
from math import sqrt
from typing import Annotated, Literal

import msgspec

from adapters.dialects.decoding import decoded
from adapters.providers.scripted.options import ScriptedOptions
from adapters.providers.scripted.reply import count_tokens
from application.inference.ports import ProviderAnswer, ProviderRequest
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage

DEFAULT_DIMENSIONS = 64
MAX_INPUTS = 2048


class _Body(msgspec.Struct):
    model: str
    input: str | list[str | int | list[int]]
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=4096)] | None = None
    encoding_format: Literal["float", "base64"] | None = None


_DECODER = msgspec.json.Decoder(_Body)


def embed(request: ProviderRequest, options: ScriptedOptions) -> ProviderAnswer:
    """Unit vectors drawn from a hash of each input: equal texts are equal, others unrelated."""
    body = decoded(_DECODER, request.body)
    inputs = _inputs(body)
    usage = Usage(prompt_tokens=sum(count_tokens(text) for text in inputs))
    if options.usage is not None:
        usage = options.usage.usage()
    vectors = [unit_vector(text, body.dimensions or DEFAULT_DIMENSIONS) for text in inputs]
    answer = {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": _base64(vector) if body.encoding_format == "base64" else vector,
            }
            for index, vector in enumerate(vectors)
        ],
        "model": body.model,
        "usage": {"prompt_tokens": usage.prompt_tokens, "total_tokens": usage.prompt_tokens},
    }
    return ProviderAnswer(body=msgspec.json.encode(answer), usage=usage)


def unit_vector(text: str, dimensions: int) -> list[float]:
    digest = hashlib.shake_256(text.encode()).digest(4 * dimensions)
    numbers = [value / 2**31 - 1 for value in struct.unpack(f"<{dimensions}I", digest)]
    length = sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]


def _inputs(body: _Body) -> list[str]:
    given = body.input
    if isinstance(given, str):
        return [given]
    if len(given) > MAX_INPUTS:
        raise InvalidError(
            f"Invalid 'input': expected an array of at most {MAX_INPUTS}.", param="input"
        )
    if all(isinstance(piece, int) for piece in given):
        return [_text(given)] if given else []
    return [_text(piece) for piece in given]


def _text(piece: object) -> str:
    """Token ids have no text; their numbers stand for them."""
    return " ".join(str(token) for token in piece) if isinstance(piece, list) else str(piece)


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
