"""A team's registry as a file that makes it true."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from application.models.applying.read_registry import TeamRegistry
from domain.models.prices import Prices
from domain.models.registry.model import Model, ModelState, Visibility
from domain.models.registry.provider import Provider
from domain.models.route import Route, Target
from domain.models.served_model import ModelKind

_NOT_OF_VARIABLES = re.compile(r"[^A-Z0-9]+")
_BARE_ROUTE = Route(name="", kind=ModelKind.CHAT, targets=())
Document = dict[str, Any]


def write_registry(registry: TeamRegistry) -> str:
    """YAML with variables in the places of the secrets. Archived models are left out."""
    names = {provider.id: provider.name for provider in registry.providers}
    taken: set[str] = set()
    document: Document = {
        "providers": [_provider(one, taken) for one in registry.providers],
        "models": [
            _model(one, names[one.provider_id]) | _prices(registry.prices.get(one.id))
            for one in registry.models
            if one.state is not ModelState.ARCHIVED
        ],
    }
    if registry.routes:
        document["routes"] = [_route(one.route) for one in registry.routes]
    return write_document(document)


def write_document(document: Mapping[str, Any]) -> str:
    dumped: str = yaml.dump(
        dict(document),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=100,
    )
    return dumped


class _Dumper(yaml.SafeDumper):
    """Writes what stands twice twice: configurations have no references."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def literal(value: Any) -> Any:
    """The value as it has to stand in a file where ``$`` begins a variable."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: literal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [literal(item) for item in value]
    return value


def variable_for(provider: str, secret: str) -> str:
    """``${ACME_API_KEY}`` for the ``api_key`` of ``acme``."""
    name = _NOT_OF_VARIABLES.sub("_", f"{provider}_{secret}".upper()).strip("_")
    return "${" + (name if not name[0].isdigit() else f"_{name}") + "}"


def _free_variable(provider: str, secret: str, taken: set[str]) -> str:
    """Names that differ may have the same variable; their secrets must not."""
    bare = variable_for(provider, secret)
    numbered = (f"{bare[:-1]}_{number}}}" for number in range(2, len(taken) + 3))
    found = next(one for one in (bare, *numbered) if one not in taken)
    taken.add(found)
    return found


def _provider(provider: Provider, taken: set[str]) -> Document:
    """``taken`` are the variables that stand for other secrets."""
    written: Document = {"name": provider.name, "type": provider.type}
    written |= literal(provider.configuration)
    for secret in provider.credentials:
        key, _, member = secret.partition(".")
        variable = _free_variable(provider.name, secret, taken)
        if member:
            written.setdefault(key, {})[member] = variable
        else:
            written[key] = variable
    if not provider.is_enabled:
        written["enabled"] = False
    return written


def _model(model: Model, provider: str) -> Document:
    written: Document = {"name": model.name, "provider": provider}
    limits = model.limits and {
        key: value for key, value in msgspec.to_builtins(model.limits).items() if value is not None
    }
    members: Document = {
        "aliases": list(model.aliases),
        "upstream_name": model.upstream_name if model.upstream_name != model.name else None,
        "kind": model.kind.value if model.kind is not ModelKind.CHAT else None,
        "capabilities": sorted(model.capabilities) if model.capabilities else None,
        "context_length": model.context_length,
        "max_output_tokens": model.max_output_tokens,
        "limits": limits,
        "visibility": "public" if model.visibility is Visibility.PUBLIC else None,
        "options": model.options,
    }
    written |= literal({key: value for key, value in members.items() if value})
    if model.capabilities is not None and not model.capabilities:
        written["capabilities"] = []
    if model.state is ModelState.DISABLED:
        written["enabled"] = False
    return written


def _prices(prices: Prices | None) -> Document:
    """What holds now, to the last digit."""
    members = {} if prices is None else msgspec.to_builtins(prices)
    return {"prices": _told(members)} if members else {}


def _told(members: Any) -> Any:
    """Without what is nothing, and tiers as a file has them: with the prices beside the size."""
    told = {key: value for key, value in members.items() if value not in (None, (), [])}
    if "tiers" in told:
        told["tiers"] = [
            {"above": tier["above"], **_told(tier["prices"])} for tier in told["tiers"]
        ]
    return told


def _route(route: Route) -> Document:
    usual = msgspec.to_builtins(_BARE_ROUTE)
    members = msgspec.to_builtins(route)
    written: Document = {"name": route.name, "targets": [_target(one) for one in route.targets]}
    skipped = {"name", "targets", "owner", "is_public", "is_enabled"}
    for key, value in members.items():
        if key not in skipped and value != usual[key]:
            written[key] = _without_defaults(value)
    if route.is_public:
        written["visibility"] = "public"
    if not route.is_enabled:
        written["enabled"] = False
    # For the dumper, which knows lists and no tuples.
    plain: Document = msgspec.json.decode(msgspec.json.encode(literal(written)))
    return plain


def _target(target: Target) -> Any:
    if target == Target(model=target.model):
        return target.model
    return {"model": target.model, "weight": target.weight, "priority": target.priority}


def _without_defaults(value: Any) -> Any:
    """What is null or empty in a part says nothing."""
    if isinstance(value, Mapping):
        return {key: item for key, item in value.items() if item not in (None, "", ())}
    return value
