"""MiniLM again, the slow and obvious way: one text, float64, no shortcuts."""

import math
import random

import numpy as np
import pytest
from numpy.typing import NDArray

from adapters.providers.local.embedded_weights import EMBEDDED
from adapters.providers.local.minilm import MiniLm
from adapters.providers.local.safetensors import read_float32

pytestmark = pytest.mark.local_model

Doubles = NDArray[np.float64]
GELU = np.vectorize(lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))))


def obvious(tensors: dict[str, Doubles], ids: list[int]) -> Doubles:
    def linear(name: str, rows: Doubles) -> Doubles:
        out: Doubles = rows @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]
        return out

    def normal(name: str, rows: Doubles) -> Doubles:
        centred = rows - rows.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(rows.var(-1, keepdims=True) + 1e-12)
        out: Doubles = scaled * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]
        return out

    x = tensors["embeddings.word_embeddings.weight"][ids]
    x = x + tensors["embeddings.position_embeddings.weight"][: len(ids)]
    x = normal("embeddings.LayerNorm", x + tensors["embeddings.token_type_embeddings.weight"][0])
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        q, k, v = (linear(f"{name}.attention.self.{part}", x) for part in ("query", "key", "value"))
        heads = []
        for head in np.split(np.arange(384), 12):
            scores = q[:, head] @ k[:, head].T / math.sqrt(32)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            heads.append(weights / weights.sum(-1, keepdims=True) @ v[:, head])
        attended = linear(f"{name}.attention.output.dense", np.concatenate(heads, axis=1))
        x = normal(f"{name}.attention.output.LayerNorm", x + attended)
        inner = GELU(linear(f"{name}.intermediate.dense", x))
        x = normal(f"{name}.output.LayerNorm", x + linear(f"{name}.output.dense", inner))
    pooled: Doubles = x.mean(0)
    return pooled / np.linalg.norm(pooled)


def test_agrees_with_the_obvious_implementation() -> None:
    path = EMBEDDED["embedded:all-minilm-l6-v2"].path()
    assert path is not None
    dice = random.Random(5)  # noqa: S311 (a reproducible draw)
    texts = [[101, *dice.choices(range(1000, 30000), k=size), 102] for size in (1, 7, 60)]
    doubles = {name: tensor.astype(np.float64) for name, tensor in read_float32(path).items()}

    quick = MiniLm(path).embed(texts)

    for text, vector in zip(texts, quick, strict=True):
        assert np.abs(obvious(doubles, text) - vector).max() < 1e-5
