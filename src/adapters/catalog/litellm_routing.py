"""How a LiteLLM proxy routes, as members of Stoa's routes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from adapters.catalog.litellm_models import number, whole
from adapters.catalog.litellm_shapes import list_at, mapping_at

_STRATEGIES = {
    "simple-shuffle": "weighted",
    "least-busy": "least_busy",
    "latency-based-routing": "lowest_latency",
    "cost-based-routing": "lowest_cost",
}
_ROUTER = "router_settings."
_ELSEWHERE = {
    "redis_host": "state is shared by the database, or by STOA_REDIS_URL",
    "redis_password": "state is shared by the database, or by STOA_REDIS_URL",
    "redis_port": "state is shared by the database, or by STOA_REDIS_URL",
    "redis_url": "state is shared by the database, or by STOA_REDIS_URL",
    "allowed_fails": "a breaker decides by itself when a deployment is left alone",
    "cooldown_time": "a breaker decides by itself for how long a deployment is left alone",
    "enable_pre_call_checks": "calls always go to models only that can take them",
}


@dataclass(slots=True, kw_only=True)
class Routing:
    READ: ClassVar[frozenset[str]] = frozenset(
        {
            "litellm_settings.fallbacks",
            "litellm_settings.default_fallbacks",
            "litellm_settings.context_window_fallbacks",
            "litellm_settings.num_retries",
            "litellm_settings.request_timeout",
            "litellm_settings.timeout",
            "litellm_settings.cache",
            "litellm_settings.cache_params",
        }
    )

    strategy: str = "weighted"
    fallbacks: dict[str, list[str]] = field(default_factory=dict)
    retries: int | None = None
    timeout: float | None = None
    cache_ttl: int | None = None
    aliases: dict[str, str] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def concerns(self, name: str) -> bool:
        """Whether a single deployment needs a route for what is said of it."""
        general = (self.retries, self.timeout, self.cache_ttl)
        return bool(self.fallbacks.get(name)) or any(one is not None for one in general)

    @property
    def members(self) -> dict[str, Any]:
        """What holds for all routes."""
        members: dict[str, Any] = {}
        if self.retries is not None:
            # Theirs come on top of the first attempt.
            members["retry"] = {"attempts": min(self.retries + 1, 20)}
        if self.timeout is not None:
            members["timeouts"] = {"total": self.timeout}
        if self.cache_ttl is not None:
            members["cache"] = {"ttl_s": self.cache_ttl}
        return members


def read_routing(document: Mapping[str, Any]) -> Routing:
    router = mapping_at(document, "router_settings")
    general = mapping_at(document, "litellm_settings")
    routing = Routing()
    _read_strategy(routing, router)
    for source in (router, general):
        for key in ("fallbacks", "context_window_fallbacks"):
            _read_fallbacks(routing, list_at(source, key))
            source.pop(key, None)
    key = "default_fallbacks"
    defaults = [*list_at(router, key), *list_at(general, key)]
    router.pop(key, None)
    _read_default_fallbacks(routing, document, defaults)
    for section, source in (("litellm_settings", general), ("router_settings", router)):
        _read_patience(routing, section, source)
    _read_cache(routing, general)
    for alias, name in mapping_at(router, "model_group_alias", _ROUTER).items():
        routing.aliases[alias] = str(name.get("model") if isinstance(name, dict) else name)
    router.pop("model_group_alias", None)
    for key in router:
        reason = _ELSEWHERE.get(key, "there is nothing like it")
        routing.left_out.append((_ROUTER + key, reason))
    return routing


def _read_strategy(routing: Routing, router: dict[str, Any]) -> None:
    name = router.pop("routing_strategy", None)
    if name is None:
        return
    known = _STRATEGIES.get(str(name))
    if known is None:
        reason = f"'{name}' is none of Stoa's strategies; the routes are weighted"
        routing.left_out.append((f"{_ROUTER}routing_strategy", reason))
        return
    routing.strategy = known


def _read_patience(routing: Routing, section: str, source: dict[str, Any]) -> None:
    for key in ("num_retries", "timeout", "request_timeout"):
        given = source.pop(key, None)
        retries, seconds = whole(given), number(given)
        if given is None:
            continue
        if key == "num_retries" and retries is not None and retries >= 0:
            routing.retries = retries
        elif key != "num_retries" and seconds is not None and seconds > 0:
            routing.timeout = float(seconds)
        else:
            routing.left_out.append((f"{section}.{key}", f"'{given}' is no number that it can be"))


def _read_fallbacks(routing: Routing, entries: Iterable[Any]) -> None:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        for name, others in entry.items():
            known = routing.fallbacks.setdefault(str(name), [])
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


def _read_cache(routing: Routing, general: dict[str, Any]) -> None:
    parameters = mapping_at(general, "cache_params", "litellm_settings.")
    if general.pop("cache", False) is not True:
        return
    ttl = parameters.pop("ttl", None)
    routing.cache_ttl = int(ttl) if isinstance(ttl, int | float) and ttl >= 1 else 3600
    for key in parameters:
        reason = "the cache is Stoa's own"
        routing.left_out.append((f"litellm_settings.cache_params.{key}", reason))
