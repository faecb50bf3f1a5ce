"""What the configuration says of a local model, checked."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from adapters.providers.local.embedded_weights import EMBEDDED, EmbeddedWeights
from domain.models.served_model import ModelKind, ServedModel
from domain.operations.errors import EmbeddedPartMissingError
from domain.shared.errors import InvalidError

DEFAULT_CHAT_CONTEXT = 4096
DEFAULT_EMBEDDING_CONTEXT = 512
MAX_SLOTS = 64
# More slots do not make more tokens per second; a second one keeps a long answer from making
# everybody wait.
DEFAULT_SLOTS = 2
POOLINGS = ("mean", "cls", "last")
CHAT_OPTIONS = frozenset({"threads", "slots", "chat_template"})
EMBEDDING_OPTIONS = frozenset({"threads", "pooling"})
GGUF_MAGIC = b"GGUF"
_EMBEDDING_KINDS = (ModelKind.EMBEDDING, ModelKind.RERANK)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModelSpec:
    """A local model ready to be loaded; ``weights`` is set for the packaged ones."""

    name: str
    kind: ModelKind
    file: Path | None
    weights: EmbeddedWeights | None
    context_length: int
    threads: int
    slots: int = 1
    chat_template: str | None = None
    pooling: str | None = None
    sampling: dict[str, object] = field(default_factory=dict)

    @property
    def is_minilm(self) -> bool:
        return self.weights is not None and self.kind is not ModelKind.CHAT

    @classmethod
    def of(cls, model: ServedModel, *, threads: int | None = None) -> "LocalModelSpec":
        """Raises ``InvalidError`` for an option or a file name that makes no sense."""
        weights = _weights(model)
        if model.kind is not ModelKind.CHAT and not embeds(model):
            raise _invalid(model, f"models of kind '{model.kind}' do not run in this process.")
        _refuse_unknown(model, weights)
        default_threads = threads if threads is not None else default_thread_count()
        packaged_template = weights.chat_template if weights else None
        return cls(
            name=model.name,
            kind=model.kind,
            file=weights.path() if weights else Path(model.upstream_name),
            weights=weights,
            context_length=_context(model, weights),
            threads=_integer(model, "threads", default_threads, 1, 1024),
            slots=_slots(model),
            chat_template=_text(model, "chat_template") or packaged_template,
            pooling=_pooling(model),
            sampling=dict(weights.sampling) if weights else {},
        )


def embeds(model: ServedModel) -> bool:
    """Whether the model gives vectors: for those who ask for them, or to rank documents by."""
    return model.kind in _EMBEDDING_KINDS


def default_thread_count() -> int:
    """One fewer than there are cores: llama.cpp's threads spin, and a busy neighbour on the last
    core (Postgres, the event loop) makes two of them slower than one."""
    return max(1, (os.cpu_count() or 2) - 1)


def is_installed(package: str) -> bool:
    return find_spec(package) is not None


def check_installed(model: ServedModel, installed: Callable[[str], bool] = is_installed) -> None:
    """Raise ``EmbeddedPartMissingError`` when a package that the model needs is not installed."""
    weights = EMBEDDED.get(model.upstream_name)
    minilm = weights is not None and embeds(model)
    needed = ["numpy", "tokenizers"] if minilm else ["xllamacpp"]
    if weights is not None:
        needed.append(weights.package)
    missing = [package for package in needed if not installed(package)]
    if missing:
        raise EmbeddedPartMissingError(
            f"The local model '{model.name}' needs the dependency group 'embedded' "
            f"({', '.join(missing)} not found). Install it with: uv sync --group embedded"
        )


def check_files(model: ServedModel) -> list[str]:
    """What is wrong with the model's files, one sentence each; empty when all is there."""
    try:
        check_installed(model)
        spec = LocalModelSpec.of(model)
    except InvalidError as error:
        return [error.message]
    problem = file_problem(spec)
    return [f"{model.name}: {problem}"] if problem else []


def file_problem(spec: LocalModelSpec) -> str | None:
    if spec.file is None or not spec.file.is_file():
        return f"the model file '{spec.file}' does not exist."
    if not os.access(spec.file, os.R_OK):
        return f"the model file '{spec.file}' cannot be read."
    if spec.is_minilm:
        tokenizer = spec.file.with_name("tokenizer.json")
        return None if tokenizer.is_file() else f"'{tokenizer}' does not exist."
    with spec.file.open("rb") as file:
        if file.read(len(GGUF_MAGIC)) != GGUF_MAGIC:
            return f"'{spec.file}' is not a GGUF file."
    return None


def _weights(model: ServedModel) -> EmbeddedWeights | None:
    name = model.upstream_name
    if name.startswith("embedded:"):
        if name not in EMBEDDED:
            raise _invalid(model, f"'{name}' is not one of {', '.join(EMBEDDED)}.")
        return EMBEDDED[name]
    if not name.endswith(".gguf"):
        raise _invalid(model, f"upstream_name '{name}' is neither 'embedded:…' nor a .gguf file.")
    return None


def _refuse_unknown(model: ServedModel, weights: EmbeddedWeights | None) -> None:
    known = CHAT_OPTIONS if model.kind is ModelKind.CHAT else EMBEDDING_OPTIONS
    if weights is not None and embeds(model):
        # numpy's own threads are the process's, and the pooling is part of the trained model.
        known = frozenset()
    unknown = sorted(model.options.keys() - known)
    if unknown:
        allowed = ", ".join(sorted(known)) or "none"
        raise _invalid(model, f"unknown option '{unknown[0]}' (known here: {allowed}).")


def _context(model: ServedModel, weights: EmbeddedWeights | None) -> int:
    default = DEFAULT_CHAT_CONTEXT if model.kind is ModelKind.CHAT else DEFAULT_EMBEDDING_CONTEXT
    if weights is not None:
        default = weights.context_length
    length = default if model.context_length is None else model.context_length
    if length < 1:
        raise _invalid(model, "context_length must be at least 1.")
    if weights is not None and embeds(model):
        return min(length, weights.context_length)
    return length


def _slots(model: ServedModel) -> int:
    if embeds(model):
        return 1
    return _integer(model, "slots", DEFAULT_SLOTS, 1, MAX_SLOTS)


def _pooling(model: ServedModel) -> str | None:
    pooling = _text(model, "pooling")
    if pooling is not None and pooling not in POOLINGS:
        raise _invalid(model, f"option 'pooling' must be one of {', '.join(POOLINGS)}.")
    return pooling


def _integer(model: ServedModel, option: str, default: int, low: int, high: int) -> int:
    value = model.options.get(option, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _invalid(model, f"option '{option}' must be a whole number from {low} to {high}.")
    return value


def _text(model: ServedModel, option: str) -> str | None:
    value = model.options.get(option)
    if value is not None and not (isinstance(value, str) and value):
        raise _invalid(model, f"option '{option}' must be a text.")
    return value


def _invalid(model: ServedModel, message: str) -> InvalidError:
    return InvalidError(f"Model '{model.name}': {message}", param=model.name)
