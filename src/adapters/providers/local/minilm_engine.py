"""Texts to vectors by MiniLM; importing this module needs numpy and tokenizers."""

from collections.abc import Callable, Sequence
from pathlib import Path

import tokenizers

from adapters.providers.local.engine import Embedded, EmbeddingEngine, EmbeddingInput
from adapters.providers.local.llama_errors import too_long
from adapters.providers.local.minilm import DIMENSIONS, MiniLm
from adapters.providers.local.prompt_size import check_characters, check_count
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import InvalidError

# A quarter of a second on two cores, so that other calls get their turn in between.
BATCH_TOKENS = 1024
CLS, SEP = 101, 102


class MiniLmEngine(EmbeddingEngine):
    """Inputs over the limit are refused: a vector of half a text looks like any other vector.

    Token arrays are word pieces of this model; they are framed by ``[CLS]`` and ``[SEP]`` unless
    they already are.
    """

    def __init__(self, path: Path, *, limit: int) -> None:
        tokenizer = tokenizers.Tokenizer.from_file(str(path.with_name("tokenizer.json")))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._network: MiniLm | None = MiniLm(path)
        self._vocabulary = self._network.vocabulary
        self._limit = limit

    @property
    def dimensions(self) -> int:
        return DIMENSIONS

    def close(self) -> None:
        self._network = None

    def batches(
        self, inputs: Sequence[EmbeddingInput], aborted: Callable[[], bool]
    ) -> list[list[EmbeddingInput]]:
        batches: list[list[EmbeddingInput]] = []
        room = 0
        for value in inputs:
            if aborted():
                break
            ids = self._ids(value)
            if len(ids) > room:
                batches.append([])
                room = BATCH_TOKENS
            batches[-1].append(ids)
            room -= len(ids)
        return batches

    def embed(self, batch: Sequence[EmbeddingInput]) -> Embedded:
        texts = [self._ids(value) for value in batch]
        if self._network is None:
            raise ProviderFailedError("The model has been unloaded.")
        rows = self._network.embed(texts).astype("<f4", copy=False)
        return Embedded(
            vectors=[row.tobytes() for row in rows], tokens=sum(len(text) for text in texts)
        )

    def _ids(self, value: EmbeddingInput) -> list[int]:
        if isinstance(value, str):
            check_characters((value,), limit=self._limit, param="input")
            ids: list[int] = self._tokenizer.encode(value).ids
        else:
            check_count(len(value), limit=self._limit, param="input")
            ids = value if value[0] == CLS and value[-1] == SEP else [CLS, *value, SEP]
            if not all(0 <= token < self._vocabulary for token in ids):
                raise InvalidError("The input contains an invalid token.", param="input")
        if len(ids) > self._limit:
            raise too_long(self._limit, len(ids), "input")
        return ids
