"""From a checked configuration to an engine in memory; blocks, in a worker thread.

The native packages are imported here and not before: a server without local models does without
them, and their import takes a tenth of a second that the start does not have to wait for.
"""

import threading
from pathlib import Path

from adapters.providers.local.embedded_weights import blocks, check_sum
from adapters.providers.local.engine import ChatEngine, EmbeddingEngine
from adapters.providers.local.model_spec import LocalModelSpec, file_problem
from domain.inference.errors import ProviderFailedError


def load_chat(spec: LocalModelSpec, abort: threading.Event) -> ChatEngine:
    from adapters.providers.local.llama_engine import LlamaChatEngine  # noqa: PLC0415 (optional)

    _check(spec, abort)
    return LlamaChatEngine(spec)


def load_embedding(spec: LocalModelSpec, abort: threading.Event) -> EmbeddingEngine:
    _check(spec, abort)
    if spec.weights is not None and spec.file is not None:
        from adapters.providers.local.minilm_engine import MiniLmEngine  # noqa: PLC0415 (optional)

        return MiniLmEngine(spec.file, limit=spec.context_length)
    from adapters.providers.local.llama_engine import (  # noqa: PLC0415 (optional)
        LlamaEmbeddingEngine,
    )

    return LlamaEmbeddingEngine(spec)


def _check(spec: LocalModelSpec, abort: threading.Event) -> None:
    if problem := file_problem(spec):
        raise ProviderFailedError(problem)
    if spec.weights is not None and spec.file is not None:
        check_sum(spec.file, spec.weights.sha256, abort)
    elif spec.file is not None:
        _read_ahead(spec.file, abort)
    if abort.is_set():
        raise ProviderFailedError("loading was stopped.")


def _read_ahead(path: Path, abort: threading.Event) -> None:
    """Bring the file into the system's cache. xllamacpp keeps the interpreter lock while it loads,
    so that the whole server would stand still for as long as the disk takes."""
    for _ in blocks(path):
        if abort.is_set():
            return
