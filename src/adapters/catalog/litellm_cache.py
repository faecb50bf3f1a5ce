"""What a LiteLLM proxy says of keeping answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.catalog.litellm_numbers import number
from adapters.catalog.litellm_shapes import list_at, mapping_at

_WHERE = "litellm_settings.cache"
_USUAL_TTL_S = 3_600
# What is cached there, by its kinds of calls.
_CALLS = {
    "chat": {"completion", "acompletion", "text_completion", "atext_completion"},
    "embedding": {"embedding", "aembedding"},
    "rerank": {"rerank", "arerank"},
}
_OWN = "the cache is Stoa's own, in its database"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCache:
    """``kinds`` are those of the models whose answers are kept."""

    ttl_s: int = _USUAL_TTL_S
    threshold: float | None = None
    kinds: frozenset[str] = field(default_factory=frozenset)

    def members(self, kind: str) -> dict[str, Any]:
        if kind not in self.kinds:
            return {}
        similar = {} if self.threshold is None else {"semantic_threshold": self.threshold}
        return {"cache": {"ttl_s": self.ttl_s, **(similar if kind == "chat" else {})}}


def read_cache(
    general: dict[str, Any], router: dict[str, Any], left_out: list[tuple[str, str]]
) -> ImportedCache:
    """What was read is taken out."""
    parameters = mapping_at(general, "cache_params", "litellm_settings.")
    general.pop("cache_params", None)
    given = [general.pop("cache", None), router.pop("cache_responses", None)]
    if not any(_is_on(one) for one in given):
        left_out += [
            (_WHERE, f"'{one}' is neither true nor false") for one in given if _is_odd(one)
        ]
        if parameters:
            left_out.append((f"{_WHERE}_params", "nothing is kept: 'cache' is not true"))
        return ImportedCache()
    mode = str(parameters.pop("mode", "default_on"))
    if mode != "default_on":
        reason = f"'{mode}' keeps nothing until callers ask for it, which they cannot here"
        left_out.append((f"{_WHERE}_params.mode", reason))
    cache = ImportedCache(
        ttl_s=_ttl(parameters, left_out),
        threshold=_threshold(parameters),
        kinds=frozenset() if mode != "default_on" else _kinds(parameters),
    )
    left_out += [(f"{_WHERE}_params.{key}", _OWN) for key in parameters]
    return cache


def _ttl(parameters: dict[str, Any], left_out: list[tuple[str, str]]) -> int:
    given = parameters.pop("ttl", None)
    ttl = number(given)
    if ttl is not None and ttl >= 1:
        return int(ttl)
    said = "is not said" if given is None else f"'{given}' is no number that it can be"
    left_out.append((f"{_WHERE}_params.ttl", f"{said}: answers are kept for an hour"))
    return _USUAL_TTL_S


def _threshold(parameters: dict[str, Any]) -> float | None:
    if not str(parameters.get("type", "")).endswith("semantic"):
        return None
    threshold = number(parameters.get("similarity_threshold"))
    if threshold is None or not 0 < threshold <= 1:
        return None
    parameters.pop("similarity_threshold")
    return float(threshold)


def _kinds(parameters: Mapping[str, Any]) -> frozenset[str]:
    calls = parameters.get("supported_call_types")
    if calls is None:
        return frozenset(_CALLS)
    named = {str(one) for one in list_at(parameters, "supported_call_types")}
    return frozenset(kind for kind, theirs in _CALLS.items() if theirs & named)


def _is_on(value: object) -> bool:
    return value is True or str(value).lower() == "true"


def _is_odd(value: object) -> bool:
    return not (value is None or isinstance(value, bool) or str(value).lower() == "false")
