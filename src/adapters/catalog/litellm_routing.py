"""How a LiteLLM proxy routes, as members of Stoa's routes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from adapters.catalog.litellm_cache import ImportedCache, read_cache
from adapters.catalog.litellm_numbers import number, seconds, whole
from adapters.catalog.litellm_reasons import STRATEGY, of_router
from adapters.catalog.litellm_shapes import list_at, mapping_at

_STRATEGIES = {
    "simple-shuffle": "weighted",
    "least-busy": "least_busy",
    "latency-based-routing": "lowest_latency",
    "cost-based-routing": "lowest_cost",
}
_ROUTER = "router_settings."
_PATIENCE = ("num_retries", "timeout", "request_timeout", "stream_timeout", "retry_after")
_ANYBODY = "*"
_WIDER = "a route has one list of fallbacks: they take over whatever has failed"


@dataclass(slots=True, kw_only=True)
class Routing:
    """``silence`` is how long a deployment may say nothing, and ``first_token`` how long a stream
    may, in seconds."""

    READ: ClassVar[frozenset[str]] = frozenset(
        f"litellm_settings.{key}"
        for key in (
            *_PATIENCE,
            "fallbacks",
            "default_fallbacks",
            "context_window_fallbacks",
            "model_alias_map",
            "cache",
            "cache_params",
        )
    )

    strategy: str = "weighted"
    fallbacks: dict[str, list[str]] = field(default_factory=dict)
    retries: int | None = None
    silence: float | None = None
    first_token: float | None = None
    pause_ms: int | None = None
    cache: ImportedCache = field(default_factory=ImportedCache)
    aliases: dict[str, str] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def concerns(self, name: str, kind: str) -> bool:
        """Whether a single deployment needs a route for what is said of it."""
        return bool(self.fallbacks.get(name) or self.members(kind))

    def members(self, kind: str) -> dict[str, Any]:
        """What holds for all routes of the kind."""
        members: dict[str, Any] = {}
        if self.retries is not None:
            # Theirs come on top of the first attempt.
            members["retry"] = {"attempts": min(self.retries + 1, 20)}
        if self.pause_ms:
            retry = members.setdefault("retry", {})
            retry |= {"backoff_ms": self.pause_ms, "max_backoff_ms": max(self.pause_ms, 5_000)}
        if self.first_token is not None:
            members["timeouts"] = {"first_token": self.first_token}
        return members | self.cache.members(kind)


def read_routing(document: Mapping[str, Any]) -> Routing:
    router = mapping_at(document, "router_settings")
    general = mapping_at(document, "litellm_settings")
    routing = Routing()
    _read_strategy(routing, router)
    defaults: list[Any] = []
    for source in (router, general):
        for key in ("fallbacks", "context_window_fallbacks"):
            defaults += _read_fallbacks(routing, key, list_at(source, key))
            source.pop(key, None)
    for source in (router, general):
        defaults += list_at(source, "default_fallbacks")
        source.pop("default_fallbacks", None)
    _read_default_fallbacks(routing, document, defaults)
    for section, source in (("litellm_settings", general), ("router_settings", router)):
        _read_patience(routing, section, source)
    routing.cache = read_cache(general, router, routing.left_out)
    for source, key in ((general, "model_alias_map"), (router, "model_group_alias")):
        for alias, name in mapping_at(source, key).items():
            routing.aliases[alias] = str(name.get("model") if isinstance(name, dict) else name)
            if isinstance(name, dict) and name.get("hidden"):
                routing.left_out.append((f"{_ROUTER}{key}.{alias}.hidden", "all can be listed"))
        source.pop(key, None)
    routing.left_out += [(_ROUTER + key, of_router(key)) for key in router]
    return routing


def _read_strategy(routing: Routing, router: dict[str, Any]) -> None:
    name = router.pop("routing_strategy", None)
    if name is None:
        return
    known = _STRATEGIES.get(str(name))
    if known is None:
        routing.left_out.append((f"{_ROUTER}routing_strategy", f"'{name}' {STRATEGY}"))
        return
    routing.strategy = known


def _read_patience(routing: Routing, section: str, source: dict[str, Any]) -> None:
    for key in _PATIENCE:
        given = source.pop(key, None)
        if given is not None and not _take_patience(routing, key, given):
            routing.left_out.append((f"{section}.{key}", f"'{given}' is no number that it can be"))


def _take_patience(routing: Routing, key: str, given: object) -> bool:
    amount = number(given)
    if key == "num_retries":
        routing.retries = whole(given) if whole(given) is not None else routing.retries
        return whole(given) is not None
    if key == "retry_after":
        routing.pause_ms = None if amount is None else min(int(amount * 1_000), 300_000)
        return amount is not None
    if key == "stream_timeout":
        routing.first_token = seconds(given) or routing.first_token
        return bool(amount)
    routing.silence = seconds(given) or routing.silence
    return bool(amount)


def _read_fallbacks(routing: Routing, key: str, entries: Iterable[Any]) -> list[str]:
    """Answers what takes over for anybody."""
    for_all: list[str] = []
    for entry in entries:
        if not isinstance(entry, dict):
            routing.left_out.append((key, f"'{entry}' does not say for whom it takes over"))
            continue
        for name, others in entry.items():
            known = for_all if name == _ANYBODY else routing.fallbacks.setdefault(str(name), [])
            if key != "fallbacks":
                routing.left_out.append((f"{key}.{name}", _WIDER))
            _add_fallbacks(routing, str(name), known, others)
    return for_all


def _add_fallbacks(routing: Routing, name: str, known: list[str], others: Any) -> None:
    for one in others if isinstance(others, list) else [others]:
        if not isinstance(one, str):
            reason = "has parameters of its own, which a model has to have"
            routing.left_out.append((f"fallbacks.{name}", reason))
        elif one not in known:
            known.append(one)


def _read_default_fallbacks(
    routing: Routing, document: Mapping[str, Any], others: Iterable[Any]
) -> None:
    """For whoever has none of its own, and never for itself."""
    named = [str(one) for one in others]
    for entry in list_at(document, "model_list"):
        name = str(entry.get("model_name")) if isinstance(entry, dict) else ""
        if named and name not in named:
            routing.fallbacks.setdefault(name, list(named))
