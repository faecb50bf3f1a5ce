"""all-MiniLM-L6-v2 in numpy: a BERT of six layers, mean pooling, unit length.

Texts are laid end to end without padding, so that each layer is a few large products over all of
them; only attention goes text by text.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.providers.local.safetensors import read_float32

Floats = NDArray[np.float32]

LAYERS = 6
HEADS = 12
DIMENSIONS = 384
EPSILON = 1e-12
GELU_ROWS = 32


class MiniLm:
    """The network alone: token ids in, unit vectors out."""

    def __init__(self, path: Path) -> None:
        self._tensors = read_float32(path)
        tensors = self._tensors
        self._positions = (
            tensors["embeddings.position_embeddings.weight"]
            + tensors["embeddings.token_type_embeddings.weight"][0]
        )
        self.vocabulary = tensors["embeddings.word_embeddings.weight"].shape[0]

    def embed(self, texts: Sequence[Sequence[int]]) -> Floats:
        """One row of length 1 for each text; no text may be empty or longer than the positions."""
        lengths = [len(text) for text in texts]
        ends = np.cumsum(lengths)
        spans = [(int(end) - length, int(end)) for end, length in zip(ends, lengths, strict=True)]
        ids = np.concatenate([np.asarray(text, dtype=np.int64) for text in texts])
        places = np.concatenate([np.arange(length) for length in lengths])
        words = self._tensors["embeddings.word_embeddings.weight"]
        hidden = self._normalised("embeddings.LayerNorm", words[ids] + self._positions[places])
        for layer in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, spans)
        pooled = np.stack([hidden[begin:end].mean(axis=0) for begin, end in spans])
        pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
        return pooled

    def _layer(self, name: str, hidden: Floats, spans: list[tuple[int, int]]) -> Floats:
        attended = self._attention(f"{name}.attention.self", hidden, spans)
        attended = self._linear(f"{name}.attention.output.dense", attended)
        hidden = self._normalised(f"{name}.attention.output.LayerNorm", attended + hidden)
        inner = self._linear(f"{name}.intermediate.dense", hidden)
        gelu_in_place(inner)
        outer = self._linear(f"{name}.output.dense", inner)
        return self._normalised(f"{name}.output.LayerNorm", outer + hidden)

    def _attention(self, name: str, hidden: Floats, spans: list[tuple[int, int]]) -> Floats:
        width = DIMENSIONS // HEADS
        query = self._linear(f"{name}.query", hidden)
        query *= np.float32(width**-0.5)
        key = self._linear(f"{name}.key", hidden)
        value = self._linear(f"{name}.value", hidden)
        out = np.empty_like(hidden)
        for begin, end in spans:
            shape = (end - begin, HEADS, width)
            q = query[begin:end].reshape(shape).transpose(1, 0, 2)
            k = key[begin:end].reshape(shape).transpose(1, 2, 0)
            v = value[begin:end].reshape(shape).transpose(1, 0, 2)
            scores = q @ k
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            out[begin:end] = (scores @ v).transpose(1, 0, 2).reshape(end - begin, DIMENSIONS)
        return out

    def _linear(self, name: str, rows: Floats) -> Floats:
        out: Floats = rows @ self._tensors[f"{name}.weight"].T
        out += self._tensors[f"{name}.bias"]
        return out

    def _normalised(self, name: str, rows: Floats) -> Floats:
        rows = rows - rows.mean(axis=-1, keepdims=True)
        variance = np.square(rows).mean(axis=-1, keepdims=True)
        rows /= np.sqrt(variance + np.float32(EPSILON))
        rows *= self._tensors[f"{name}.weight"]
        rows += self._tensors[f"{name}.bias"]
        return rows


def gelu_in_place(rows: Floats) -> None:
    """The exact GELU, x·Φ(x), with erf by Abramowitz and Stegun 7.1.26 (error 1.5e-7).

    A few rows at a time, so that the temporaries stay in the processor's cache: over the whole
    array it costs as much as all the matrix products together.
    """
    for begin in range(0, len(rows), GELU_ROWS):
        block = rows[begin : begin + GELU_ROWS]
        size = np.abs(block)
        size *= np.float32(0.7071067811865476)
        t = 1 / (1 + np.float32(0.3275911) * size)
        series = np.float32(1.061405429) * t
        for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
            series += np.float32(coefficient)
            series *= t
        series *= np.exp(-(size * size))
        erf = np.copysign(1 - series, block)
        block *= np.float32(0.5) * (1 + erf)
