"""What the provider asks of an engine; every method blocks and is called from worker threads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

# A text, or a text as token ids.
EmbeddingInput = str | list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationCall:
    """One run of a chat model.

    ``body`` is llama.cpp's request. ``prompt_param`` and ``schema_param`` name the members of the
    client's request that an error about the prompt or the schema is about. The prompt of a run
    with ``counts_prompt`` false is the same as an earlier run's and is paid only once.
    """

    chat: bool
    body: dict[str, Any]
    prompt_param: str
    schema_param: str = "response_format"
    counts_prompt: bool = True


class Engine(Protocol):
    def close(self) -> None:
        """Give the memory back, whoever still holds this object (a finished stream, a traceback);
        what comes later fails. Called when nothing runs."""
        ...


class ChatEngine(Engine, Protocol):
    def generate(self, call: GenerationCall, on_chunk: Callable[[dict[str, Any]], bool]) -> None:
        """Run to the end, or until ``on_chunk`` returns true; raises a ``StoaError``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """``vectors`` are little-endian float32, one for each input of the batch."""

    vectors: list[bytes]
    tokens: int


class EmbeddingEngine(Engine, Protocol):
    @property
    def dimensions(self) -> int: ...

    def batches(
        self, inputs: Sequence[EmbeddingInput], aborted: Callable[[], bool]
    ) -> list[list[EmbeddingInput]]:
        """The inputs, in order, in portions of well under a second; raises a ``StoaError`` for an
        input that does not fit the model. Once ``aborted``, the result is of no use to anybody."""
        ...

    def embed(self, batch: Sequence[EmbeddingInput]) -> Embedded: ...
