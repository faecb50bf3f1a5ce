"""The configuration of a LiteLLM proxy, as one of Stoa's."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.catalog.litellm_fallbacks import carry_fallbacks
from adapters.catalog.litellm_file import read_litellm
from adapters.catalog.litellm_groups import Group, is_read, route_of, says_something
from adapters.catalog.litellm_models import kind_of, reason_for, told_of
from adapters.catalog.litellm_providers import ImportedProviders, unread_of
from adapters.catalog.litellm_reasons import of_section, of_top
from adapters.catalog.litellm_routing import Routing, read_routing
from adapters.catalog.litellm_shapes import mapping_at
from adapters.catalog.writing import write_document
from adapters.providers.types import PROVIDER_TYPES
from domain.models.registry.names import model_name_problems

_OF_A_MODEL = "model_list[]."
_OF_AN_ENTRY = {"model_name", "litellm_params", "model_info"}
_SECTIONS = ("litellm_settings", "general_settings")


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
    whole = read_litellm(path)
    deployments = whole["model_list"]
    routing = read_routing(whole)
    keys = {name: known.keys for name, known in PROVIDER_TYPES.items()}
    done = _Import(ImportedProviders(keys, routing.silence))
    for entry in deployments:
        if isinstance(entry, dict):
            done.providers.reserve(mapping_at(entry, "litellm_params", _OF_A_MODEL))
    _carry_models(done, routing, list(_sound(done, deployments)))
    _carry_aliases(done, routing)
    carry_fallbacks(done.models, done.routes, routing, done.left_out)
    done.left_out += [*routing.left_out, *_rest(whole)]
    variables = done.providers.variables
    done.left_out += [
        (f"the secret for {variable}", "stood in the file itself; put it into that variable")
        for variable in variables.literals.values()
    ]
    done.left_out += [
        (f"os.environ/{theirs}", f"no variable can have that name: it is {ours} now")
        for theirs, ours in variables.renamed.items()
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
        parameters = mapping_at(entry, "litellm_params", _OF_A_MODEL)
        is_pattern = "*" in name + str(parameters.get("model", ""))
        reason = _of_pattern(done, parameters) if is_pattern else _refused(name)
        if reason is None:
            yield entry
        else:
            done.left_out.append((f"model_list.{name}", reason))


def _of_pattern(done: _Import, parameters: Mapping[str, Any]) -> str:
    """Why it is left out; its provider is there, so that one can look for its models."""
    found = done.providers.of(parameters) if "/" in str(parameters.get("model")) else None
    if isinstance(found, str):
        return found
    name = "NAME" if found is None else found.provider
    return f"a pattern is no model: `stoa providers offers {name}` lists those that there are"


def _refused(name: str) -> str | None:
    """Why nothing can have this name."""
    problems = model_name_problems(name, ())
    return f"a name {problems[0][1]}" if problems else None


def _carry_models(done: _Import, routing: Routing, sound: list[Mapping[str, Any]]) -> None:
    counts = Counter(str(one["model_name"]) for one in sound)
    taken = set(counts)
    groups: dict[str, Group] = {}
    for entry in sound:
        name = own = str(entry["model_name"])
        parameters = mapping_at(entry, "litellm_params", _OF_A_MODEL)
        info = mapping_at(entry, "model_info", _OF_A_MODEL)
        done.left_out += [
            (f"model_list.{name}.{key}", "belongs into 'litellm_params' or 'model_info'")
            for key in sorted(map(str, entry.keys() - _OF_AN_ENTRY))
        ]
        kind = kind_of(str(parameters.get("model", "")), info)
        is_routed = counts[name] > 1 or says_something(parameters)
        if is_routed or routing.concerns(name, kind or ""):
            numbered = (f"{name}-{number}" for number in range(1, len(taken) + 2))
            own = next(one for one in numbered if one not in taken)
            taken.add(own)
        if kind is None:
            reason = f"there are no models of the kind '{info['mode']}'"
            done.left_out.append((f"model_list.{own}", reason))
        elif _carry_model(done, parameters, info, own=own, kind=kind) and own != name:
            group = groups.setdefault(name, Group(kind=kind, strategy=routing.strategy))
            group.models.append(own)
            group.deployments.append(mapping_at(entry, "litellm_params"))
    for name, group in groups.items():
        done.routes.append(route_of(name, group, routing.members(group.kind), done.left_out))


def _carry_model(
    done: _Import, parameters: dict[str, Any], info: dict[str, Any], *, own: str, kind: str
) -> bool:
    where = f"model_list.{own}"
    found = done.providers.of(parameters, kind)
    if isinstance(found, str):
        done.left_out.append((where, found))
        return False
    done.providers.offer(found.provider, kind)
    model: dict[str, Any] = {"name": own, "provider": found.provider}
    if found.upstream_name != own:
        model["upstream_name"] = found.upstream_name
    model |= {"kind": kind} if kind != "chat" else {}
    done.models.append(model | told_of(parameters, info, kind))
    unread = [(f"litellm_params.{key}", parameters.get(key)) for key in unread_of(parameters)]
    unread = [one for one in unread if not is_read(one[0].partition(".")[2], one[1])]
    unread += [(f"model_info.{key}", info[key]) for key in sorted(info)]
    done.left_out += [
        (f"{where}.{key}", reason_for(key.partition(".")[2], value)) for key, value in unread
    ]
    done.left_out += [
        (f"{where}.litellm_params.{key}", "says nothing to a provider of this type")
        for key in sorted(found.ignored)
    ]
    return True


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
    left = [
        (f"{section}.{key}", of_section(section, key))
        for section in _SECTIONS
        for key in mapping_at(whole, section)
        if f"{section}.{key}" not in Routing.READ
    ]
    known = {"model_list", "router_settings", *_SECTIONS}
    return left + [(key, of_top(key)) for key in whole if key not in known]
