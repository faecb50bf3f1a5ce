"""The configuration of a LiteLLM proxy, as one of Stoa's."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from adapters.catalog.document import read_document
from adapters.catalog.litellm_fallbacks import carry_fallbacks
from adapters.catalog.litellm_models import (
    MODES,
    UNKNOWN,
    numbers_taken,
    reason_for,
    told_of,
)
from adapters.catalog.litellm_providers import ImportedProviders, keys_read
from adapters.catalog.litellm_routing import Routing, read_routing
from adapters.catalog.litellm_shapes import mapping_at
from adapters.catalog.writing import write_document
from adapters.providers.types import PROVIDER_TYPES
from domain.models.errors import CatalogError
from domain.models.registry.names import model_name_problems

_ELSEWHERE = {
    "general_settings.master_key": "keys are not in the configuration: `stoa keys create`",
    "general_settings.database_url": "the database is a setting: STOA_DATABASE_URL",
    "general_settings.alerting": "people are told by notifications and events",
    "litellm_settings.drop_params": "what a provider cannot do is refused, never dropped",
    "litellm_settings.callbacks": "the ledger and /metrics have every call",
    "litellm_settings.success_callback": "the ledger and /metrics have every call",
    "litellm_settings.failure_callback": "the ledger and the record of errors have every failure",
    "environment_variables": "set them where the server is started, or in .env",
    "guardrails": "routes of Stoa's have 'guardrails' of their own",
}
_OF_A_MODEL = "model_list[]."
_WILDCARD = "a pattern is no model: `stoa providers offers` lists those that there are"


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
    done = _Import(ImportedProviders({name: known.keys for name, known in PROVIDER_TYPES.items()}))
    sound = list(_sound(done, deployments))
    for entry in sound:
        done.providers.reserve(mapping_at(entry, "litellm_params", _OF_A_MODEL))
    _carry_models(done, routing, sound)
    _carry_aliases(done, routing)
    carry_fallbacks(done.models, done.routes, routing, done.left_out)
    done.left_out += [*routing.left_out, *_rest(whole)]
    done.left_out += [
        (f"the secret for {variable}", "stood in the file itself; put it into that variable")
        for variable in done.providers.literals.values()
    ]
    return _written(done)


def _written(done: _Import) -> ImportedConfiguration:
    document = {"providers": done.providers.written, "models": done.models}
    if done.routes:
        document["routes"] = done.routes
    return ImportedConfiguration(text=write_document(document), left_out=tuple(done.left_out))


def _sound(done: _Import, deployments: list[Any]) -> Iterator[Mapping[str, Any]]:
    for position, entry in enumerate(deployments):
        if not isinstance(entry, dict) or not isinstance(entry.get("model_name"), str | int):
            done.left_out.append((f"model_list[{position}]", "has no model_name"))
            continue
        name = str(entry["model_name"])
        upstream = str(mapping_at(entry, "litellm_params", _OF_A_MODEL).get("model", ""))
        reason = _WILDCARD if "*" in name + upstream else _refused(name)
        if reason is None:
            yield entry
        else:
            done.left_out.append((f"model_list.{name}", reason))


def _refused(name: str) -> str | None:
    """Why nothing can have this name."""
    problems = model_name_problems(name, ())
    return f"a name {problems[0][1]}" if problems else None


def _carry_models(done: _Import, routing: Routing, sound: list[Mapping[str, Any]]) -> None:
    counts = Counter(str(one["model_name"]) for one in sound)
    taken = set(counts)
    targets: dict[str, list[dict[str, Any]]] = {}
    for entry in sound:
        name = own = str(entry["model_name"])
        is_routed = counts[name] > 1 or routing.concerns(name)
        if is_routed:
            numbered = (f"{name}-{number}" for number in range(1, len(taken) + 2))
            own = next(one for one in numbered if one not in taken)
            taken.add(own)
        target = _carry_model(done, entry, own)
        if target is not None and is_routed:
            targets.setdefault(name, []).append(target)
    for name, found in targets.items():
        done.routes.append(_route(done, routing, name, found))


def _carry_model(done: _Import, entry: Mapping[str, Any], own: str) -> dict[str, Any] | None:
    """Adds the model, and answers it as the target of a route."""
    where = f"model_list.{own}"
    parameters = mapping_at(entry, "litellm_params", _OF_A_MODEL)
    info = mapping_at(entry, "model_info", _OF_A_MODEL)
    mode = str(info.pop("mode", "chat"))
    if mode not in MODES:
        done.left_out.append((where, f"there are no models of the kind '{mode}'"))
        return None
    found = done.providers.of(parameters)
    if isinstance(found, str):
        done.left_out.append((where, found))
        return None
    model: dict[str, Any] = {"name": own, "provider": found.provider}
    if found.upstream_name != own:
        model["upstream_name"] = found.upstream_name
    model |= {"kind": MODES[mode]} if MODES[mode] != "chat" else {}
    model |= told_of(parameters, info)
    target = {"model": own} | numbers_taken(parameters, {"weight": "weight", "order": "priority"})
    done.models.append(model)
    unread = [f"litellm_params.{key}" for key in sorted(parameters.keys() - keys_read())]
    unread += [f"model_info.{key}" for key in sorted(info)]
    done.left_out += [(f"{where}.{key}", reason_for(key.partition(".")[2])) for key in unread]
    done.left_out += [
        (f"{where}.litellm_params.{key}", "says nothing to a provider of this type")
        for key in sorted(found.ignored)
    ]
    return target


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
    return route | routing.members


def _carry_aliases(done: _Import, routing: Routing) -> None:
    by_name = {one["name"]: one for one in (*done.models, *done.routes)}
    for alias, name in routing.aliases.items():
        entry = by_name.get(name)
        reason = _refused(alias)
        if entry is None:
            reason = f"'{name}' is no model"
        elif alias in by_name:
            reason = f"'{alias}' is a model itself"
        if entry is None or reason is not None:
            done.left_out.append((f"router_settings.model_group_alias.{alias}", str(reason)))
        else:
            entry["aliases"] = [*entry.get("aliases", ()), alias]


def _rest(whole: Mapping[str, Any]) -> list[tuple[str, str]]:
    left: list[tuple[str, str]] = []
    for section in ("litellm_settings", "general_settings"):
        for key in mapping_at(whole, section):
            name = f"{section}.{key}"
            if name not in Routing.READ:
                left.append((name, _ELSEWHERE.get(name, UNKNOWN)))
    known = {"model_list", "router_settings", "litellm_settings", "general_settings"}
    left += [(key, _ELSEWHERE.get(key, UNKNOWN)) for key in whole if key not in known]
    return left
