"""OpenAI's embedding request and answer."""

import array
import base64
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.providers.local.completion_request import is_tokens
from adapters.providers.local.engine import EmbeddingInput
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

MAX_INPUTS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingPlan:
    inputs: list[EmbeddingInput]
    as_base64: bool


def read_embedding(body: Mapping[str, Any], dimensions: int) -> EmbeddingPlan:
    """``dimensions`` is what the model gives. Cutting its vectors shorter would be arithmetic
    without meaning, for it was not trained for that; so only the same number is accepted."""
    wanted = body.get("dimensions")
    if wanted is not None and wanted != dimensions:
        raise UnsupportedByModelError(
            f"This model only gives vectors of {dimensions} dimensions.", param="dimensions"
        )
    encoding = body.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise InvalidError(
            "Invalid 'encoding_format': expected 'float' or 'base64'.", param="encoding_format"
        )
    return EmbeddingPlan(inputs=_inputs(body.get("input")), as_base64=encoding == "base64")


def embedding_answer(
    vectors: Sequence[bytes], tokens: int, *, model: object, as_base64: bool
) -> dict[str, Any]:
    write = _base64 if as_base64 else _floats
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": write(vector)}
            for index, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _inputs(value: object) -> list[EmbeddingInput]:
    one_of_tokens = isinstance(value, list) and bool(value) and isinstance(value[0], int)
    inputs: list[Any] = value if isinstance(value, list) and not one_of_tokens else [value]
    if not inputs or not all(isinstance(one, str) or is_tokens(one) for one in inputs):
        raise InvalidError(
            "Invalid 'input': expected a string, an array of token ids, or a non-empty array of "
            "these.",
            param="input",
        )
    if len(inputs) > MAX_INPUTS:
        raise InvalidError(
            f"Invalid 'input': expected an array of at most {MAX_INPUTS}.", param="input"
        )
    if "" in inputs:
        raise InvalidError("Invalid 'input': it cannot be an empty string.", param="input")
    return inputs


def _base64(vector: bytes) -> str:
    return base64.b64encode(vector).decode()


def _floats(vector: bytes) -> list[float]:
    numbers = array.array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
