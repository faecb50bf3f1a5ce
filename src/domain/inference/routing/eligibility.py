"""What keeps a model from answering a call, whatever the strategy of a route."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.inference.token_estimate import TokenEstimate
from domain.models.served_model import Capability, ModelKind, ServedModel

_WORDS = {
    Capability.TOOLS: "call tools",
    Capability.IMAGES: "see images",
    Capability.AUDIO: "hear or speak",
    Capability.FILES: "read files",
    Capability.JSON_SCHEMA: "keep to a JSON schema",
    Capability.REASONING: "reason",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallShape:
    """What a call asks of a model. ``estimate`` is ``None`` where the size of the request says
    nothing about its tokens."""

    kind: ModelKind
    needs: frozenset[Capability] = frozenset()
    max_output: int | None = None
    estimate: TokenEstimate | None = None
    local_only: bool = False


def objection(model: ServedModel, shape: CallShape) -> str | None:
    """Why the model cannot answer the call, for people; ``None`` if it can."""
    if not model.is_enabled:
        return "is switched off"
    if model.kind is not shape.kind:
        return f"is of kind '{model.kind}'"
    if shape.local_only and not model.runs_here:
        return "leaves the machine, and the call is marked local_only"
    missing = sorted(need for need in shape.needs if not model.can(need))
    if missing:
        return f"cannot {' or '.join(_WORDS[need] for need in missing)}"
    limit = model.context_length
    if limit is not None and shape.max_output is not None and shape.max_output > limit:
        return f"has a context of {limit} tokens, fewer than the answer may have"
    return None


def with_room(models: Sequence[ServedModel], shape: CallShape) -> list[ServedModel]:
    """Those whose context the call seems to fit. An estimate is a guess, so that the largest are
    left where it seems to fit none."""
    estimate = shape.estimate
    if estimate is None:
        return list(models)
    wanted = estimate.prompt + (estimate.output or 0)
    fitting = [model for model in models if _size(model) >= wanted]
    if fitting or not models:
        return fitting
    largest = max(map(_size, models))
    return [model for model in models if _size(model) == largest]


def is_larger(model: ServedModel, than: ServedModel) -> bool:
    """Whether what did not fit the one may fit the other."""
    return than.context_length is None or _size(model) > than.context_length


def _size(model: ServedModel) -> float:
    return float("inf") if model.context_length is None else model.context_length
