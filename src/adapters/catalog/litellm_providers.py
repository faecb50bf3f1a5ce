"""Which provider of Stoa's a deployment of a LiteLLM proxy is at."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adapters.catalog.litellm_addresses import (
    address_problem,
    azure_address,
    is_header,
    reachable,
)
from adapters.catalog.litellm_numbers import seconds
from adapters.catalog.litellm_services import (
    COMPATIBLE,
    KINDS,
    TYPES,
    service_and_model,
    usual_variables,
    within_bedrock,
)
from adapters.catalog.litellm_shapes import mapping_at
from adapters.catalog.litellm_variables import Variables
from adapters.catalog.writing import literal

# What LiteLLM calls what a provider's configuration has, by the key that it has there.
_KEYS = {
    "api_base": "base_url",
    "base_url": "base_url",
    "aws_bedrock_runtime_endpoint": "base_url",
    "api_key": "api_key",
    "api_version": "api_version",
    "organization": "organization",
    "extra_headers": "headers",
    "aws_region_name": "region",
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
_COMPATIBLE = "openai-compatible"
# What such a provider has to be told that it has, by the kind of model.
_OPERATIONS = {
    "rerank": "rerank",
    "moderation": "moderations",
    "image": "images/generations",
    "transcription": "audio/transcriptions",
    "speech": "audio/speech",
}
_USUAL_OPERATIONS = ("chat/completions", "completions", "embeddings")
_OPENAI = "https://api.openai.com"

Parameters = Mapping[str, Any]


class Place(NamedTuple):
    """Where a deployment is: the name of the provider, what that calls the model, and which
    parameters say nothing there."""

    provider: str
    upstream_name: str
    ignored: frozenset[str]


@dataclass(slots=True)
class ImportedProviders:
    """The providers found so far, those that are the same only once. ``keys`` are what the types
    know; ``patience`` is how long, in seconds, a deployment that says nothing itself may be
    silent."""

    keys: Mapping[str, Collection[str]]
    patience: float | None = None
    variables: Variables = field(default_factory=Variables)
    written: list[dict[str, Any]] = field(default_factory=list)

    def reserve(self, parameters: Parameters) -> None:
        """Keep the variables of a deployment from being given to a secret of another one."""
        headers = mapping_at(parameters, "extra_headers", "litellm_params.")
        self.variables.reserve_named([*parameters.values(), *headers.values()])
        service, _ = service_and_model(parameters)
        given = {ours for theirs, ours in _KEYS.items() if parameters.get(theirs)}
        usual = usual_variables(service).items()
        self.variables.taken |= {name for key, name in usual if key not in given}

    def of(self, parameters: Parameters, kind: str = "chat") -> Place | str:
        """Or, in words, why there is none."""
        service, upstream = service_and_model(parameters)
        if not upstream:
            return "does not say which model it is"
        type_name = _type_of(service, parameters)
        if type_name not in self.keys:
            return f"there is no provider for '{service}'"
        if kind not in KINDS.get(type_name, {kind}):
            return f"a provider of the type '{type_name}' has no models of the kind '{kind}'"
        region = None
        if service == "bedrock":
            region, upstream = within_bedrock(str(parameters.get("model_id") or upstream))
        members = self._members(service, parameters, region)
        if service == "azure":
            upstream = azure_address(members) or upstream
        unknown = members.keys() - self.keys[type_name]
        members = {key: value for key, value in members.items() if key not in unknown}
        wrong = address_problem(members.get("base_url"))
        if wrong is not None:
            return wrong
        if type_name == _COMPATIBLE and "base_url" not in members:
            return f"'{service}' needs an api_base"
        name = self._named(service, {"type": type_name, **members})
        return Place(name, upstream, _theirs(unknown, parameters))

    def offer(self, name: str, kind: str) -> None:
        """Have the provider say that it has what models of the kind need."""
        provider = next(one for one in self.written if one["name"] == name)
        operation = _OPERATIONS.get(kind)
        if operation is not None and provider["type"] == _COMPATIBLE:
            known = provider.setdefault("operations", list(_USUAL_OPERATIONS))
            provider["operations"] = list(dict.fromkeys([*known, operation]))

    def _named(self, service: str, members: dict[str, Any]) -> str:
        for known in self.written:
            if {**known, "name": "", "operations": ""} == {"name": "", "operations": "", **members}:
                return str(known["name"])
        wanted = service.replace("_", "-")
        taken = {provider["name"] for provider in self.written}
        numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
        name = next(one for one in (wanted, *numbered) if one not in taken)
        self.written.append({"name": name, **members})
        return name

    def _members(self, service: str, parameters: Parameters, region: str | None) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for theirs, ours in _KEYS.items():
            value = parameters.get(theirs)
            if value not in (None, "", {}):
                members[ours] = self._value(service, ours, value)
        if "base_url" not in members and COMPATIBLE.get(service):
            members["base_url"] = COMPATIBLE[service]
        if region is not None:
            members["region"] = region
        usual = usual_variables(service)
        if service == "bedrock" and "api_key" in members:
            usual = {"region": usual["region"]}
        for key, name in usual.items():
            members.setdefault(key, "${" + name + "}")
        patience = seconds(parameters.get("timeout")) or self.patience
        if patience is not None:
            # There it is the longest silence, of each attempt.
            members["timeouts"] = {"first_byte": patience, "between_bytes": patience}
        return members

    def _value(self, service: str, key: str, value: Any) -> Any:
        if key == "headers" and isinstance(value, Mapping):
            return {
                str(name): self.variables.secret(service, f"headers_{name}", one)
                for name, one in value.items()
                if is_header(str(name))
            }
        if key in {"api_key", "access_key_id", "secret_access_key", "session_token"}:
            return self.variables.secret(service, key, value)
        # YAML takes a version that is a date for a date.
        return self.variables.named(value) or literal(reachable(str(value)))


def unread_of(parameters: Parameters) -> list[str]:
    """The keys of what is no matter of providers, and of headers that cannot be sent."""
    read = {*_KEYS, "model", "custom_llm_provider"}
    if service_and_model(parameters)[0] == "bedrock":
        read.add("model_id")
    if seconds(parameters.get("timeout")) is not None:
        read.add("timeout")
    headers = mapping_at(parameters, "extra_headers", "litellm_params.")
    bad = [f"extra_headers.{name}" for name in headers if not is_header(name)]
    return [*sorted(parameters.keys() - read), *bad]


def _type_of(service: str, parameters: Parameters) -> str:
    base = str(parameters.get("api_base") or parameters.get("base_url") or _OPENAI)
    if service in COMPATIBLE or (service == "openai" and not base.startswith(_OPENAI)):
        return _COMPATIBLE
    return TYPES.get(service, "")


def _theirs(keys: Collection[str], parameters: Parameters) -> frozenset[str]:
    return frozenset(name for name, ours in _KEYS.items() if ours in keys and name in parameters)
