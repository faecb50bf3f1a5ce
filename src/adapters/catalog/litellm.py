"""The configuration of a LiteLLM proxy, as one of Stoa's."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from adapters.catalog.document import read_document
from adapters.catalog.litellm_providers import ImportedProviders, keys_read
from adapters.catalog.litellm_routing import Routing, read_routing
from adapters.catalog.writing import write_document
from adapters.providers.types import PROVIDER_TYPES
from domain.models.errors import CatalogError
from domain.models.prices import MILLION
from domain.models.served_model import Capability

_MODES = {
    "chat": "chat",
    "completion": "chat",
    "responses": "chat",
    "embedding": "embedding",
    "rerank": "rerank",
    "moderation": "moderation",
    "image_generation": "image",
    "audio_transcription": "transcription",
    "audio_speech": "speech",
}
_CAPABILITIES = {
    "supports_function_calling": Capability.TOOLS,
    "supports_vision": Capability.IMAGES,
    "supports_audio_input": Capability.AUDIO,
    "supports_pdf_input": Capability.FILES,
    "supports_response_schema": Capability.JSON_SCHEMA,
    "supports_reasoning": Capability.REASONING,
}
_LIMITS = {"rpm": "rpm", "tpm": "tpm", "max_parallel_requests": "concurrency"}
_PRICES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached_input",
    "cache_creation_input_token_cost": "cache_write",
}
_ELSEWHERE = {
    "general_settings.master_key": "keys are not in the configuration: `stoa keys create`",
    "general_settings.database_url": "the database is a setting: STOA_DATABASE_URL",
    "general_settings.alerting": "people are told by notifications and events",
    "litellm_settings.drop_params": "what a provider cannot do is refused, never dropped",
    "litellm_settings.callbacks": "the ledger and /metrics have every call",
    "litellm_settings.success_callback": "the ledger and /metrics have every call",
    "litellm_settings.failure_callback": "the ledger and the record of errors have every failure",
    "environment_variables": "set them where the server is started, or in .env",
}
_UNKNOWN = "there is nothing like it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedConfiguration:
    """``left_out`` are the keys that could not be carried over, each with the reason."""

    text: str
    left_out: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Import:
    providers: ImportedProviders
    left_out: list[tuple[str, str]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)


def import_litellm(path: Path) -> ImportedConfiguration:
    """Raises ``CatalogError`` for what is no configuration of a LiteLLM proxy."""
    whole = yaml.constructor.SafeConstructor().construct_document(read_document(path))
    deployments = whole.get("model_list") if isinstance(whole, dict) else None
    if not isinstance(deployments, list):
        raise CatalogError(f"{path} has no 'model_list': it is no configuration of a LiteLLM proxy")
    routing = read_routing(whole)
    done = _Import(ImportedProviders(frozenset(PROVIDER_TYPES)))
    sound = [one for one in deployments if isinstance(one, dict) and one.get("model_name")]
    counts = Counter(str(one["model_name"]) for one in sound)
    numbers: Counter[str] = Counter()
    targets: dict[str, list[dict[str, Any]]] = {}
    for entry in sound:
        name = str(entry["model_name"])
        numbers[name] += 1
        is_routed = counts[name] > 1 or routing.concerns(name)
        own = f"{name}-{numbers[name]}" if is_routed else name
        target = _carry_model(done, entry, own)
        if target is not None and is_routed:
            targets.setdefault(name, []).append(target)
    for name, found in targets.items():
        done.routes.append(_route(done, routing, name, found))
    _carry_aliases(done, routing)
    done.left_out += [*routing.left_out, *_rest(whole)]
    done.left_out += [
        (f"the secret for {variable}", "stood in the file itself; put it into that variable")
        for variable in dict.fromkeys(done.providers.literals)
    ]
    return _written(done)


def _written(done: _Import) -> ImportedConfiguration:
    document = {"providers": done.providers.written, "models": done.models}
    if done.routes:
        document["routes"] = done.routes
    return ImportedConfiguration(text=write_document(document), left_out=tuple(done.left_out))


def _carry_model(done: _Import, entry: Mapping[str, Any], own: str) -> dict[str, Any] | None:
    """Adds the model, and answers it as the target of a route."""
    where = f"model_list.{own}"
    parameters = dict(entry.get("litellm_params") or {})
    info = dict(entry.get("model_info") or {})
    found = done.providers.of(parameters)
    if isinstance(found, str):
        done.left_out.append((where, found))
        return None
    model: dict[str, Any] = {"name": own, "provider": found[0]}
    if found[1] != own:
        model["upstream_name"] = found[1]
    mode = str(info.pop("mode", "chat"))
    if mode not in _MODES:
        done.left_out.append((f"{where}.model_info.mode", _UNKNOWN))
    model |= {"kind": _MODES[mode]} if _MODES.get(mode, "chat") != "chat" else {}
    model |= _told_of(info)
    limits = _taken(parameters, _LIMITS)
    model |= {"limits": limits} if limits else {}
    target = {"model": own} | _taken(parameters, {"weight": "weight", "order": "priority"})
    done.models.append(model)
    unread = [f"litellm_params.{key}" for key in sorted(parameters.keys() - keys_read())]
    unread += [f"model_info.{key}" for key in sorted(info)]
    done.left_out += [(f"{where}.{key}", _reason(key.partition(".")[2])) for key in unread]
    return target


def _taken(parameters: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Those that are given, by our names; they are taken out."""
    return {ours: parameters.pop(theirs) for theirs, ours in names.items() if theirs in parameters}


def _told_of(info: dict[str, Any]) -> dict[str, Any]:
    """What the file says of the model; what was read is taken out."""
    told: dict[str, Any] = {}
    capabilities = [
        ours.value for theirs, ours in _CAPABILITIES.items() if info.get(theirs) is True
    ]
    for theirs in _CAPABILITIES:
        info.pop(theirs, None)
    if capabilities:
        told["capabilities"] = capabilities
    longest_in, longest_out = (
        info.pop("max_input_tokens", None),
        info.pop("max_output_tokens", None),
    )
    told |= _prices(info)
    if isinstance(longest_in, int):
        told["context_length"] = longest_in
    if isinstance(longest_out, int):
        told["max_output_tokens"] = longest_out
    for key in ("id", "base_model", "max_tokens"):
        info.pop(key, None)
    return told


def _prices(info: dict[str, Any]) -> dict[str, Any]:
    """Theirs are for a token, ours for a million."""
    found: dict[str, Decimal] = {}
    for theirs, ours in _PRICES.items():
        price = _number(info.get(theirs))
        if price is not None:
            found[ours] = price * MILLION
    if not found.keys() >= {"input", "output"}:
        return {}
    for theirs, ours in _PRICES.items():
        if ours in found:
            del info[theirs]
    return {"prices": {ours: f"{price.normalize():f}" for ours, price in found.items()}}


def _number(value: object) -> Decimal | None:
    """YAML takes ``3e-7`` for a text, and so do those who write it for a number."""
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def _route(
    done: _Import, routing: Routing, name: str, targets: list[dict[str, Any]]
) -> dict[str, Any]:
    first = next(model for model in done.models if model["name"] == targets[0]["model"])
    route: dict[str, Any] = {"name": name}
    if "kind" in first:
        route["kind"] = first["kind"]
    strategy = "priority" if any("priority" in one for one in targets) else routing.strategy
    route["strategy"] = strategy
    route["targets"] = targets
    return route | routing.members_for(name)


def _carry_aliases(done: _Import, routing: Routing) -> None:
    for alias, name in routing.aliases.items():
        entry = next((one for one in (*done.routes, *done.models) if one["name"] == name), None)
        if entry is None:
            reason = f"'{name}' is no model"
            done.left_out.append((f"router_settings.model_group_alias.{alias}", reason))
        else:
            entry["aliases"] = [*entry.get("aliases", ()), alias]


def _reason(key: str) -> str:
    if key in _PRICES or "_cost" in key:
        return "prices have both input and output; what is not given is known from price data"
    return _UNKNOWN


def _rest(whole: Mapping[str, Any]) -> list[tuple[str, str]]:
    left: list[tuple[str, str]] = []
    for section in ("litellm_settings", "general_settings"):
        for key in whole.get(section) or {}:
            name = f"{section}.{key}"
            if name not in Routing.READ:
                left.append((name, _ELSEWHERE.get(name, _UNKNOWN)))
    known = {"model_list", "router_settings", "litellm_settings", "general_settings"}
    left += [(key, _ELSEWHERE.get(key, _UNKNOWN)) for key in whole if key not in known]
    return left
