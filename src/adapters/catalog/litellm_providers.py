"""Which provider of Stoa's a deployment of a LiteLLM proxy is at."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adapters.catalog.litellm_shapes import mapping_at
from adapters.catalog.writing import literal, variable_for

# By its other names there.
_SAME = {
    "text-completion-openai": "openai",
    "cohere_chat": "cohere",
    "ollama_chat": "ollama",
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
}
_TYPES = {
    "openai": "openai",
    "azure": "azure-openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "bedrock": "bedrock",
    "mistral": "mistral",
    "cohere": "cohere",
    "ollama": "ollama",
}
# What speaks OpenAI's API, and where.
_COMPATIBLE = {
    "groq": "https://api.groq.com/openai/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "together_ai": "https://api.together.xyz/v1",
    "fireworks_ai": "https://api.fireworks.ai/inference/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "xai": "https://api.x.ai/v1",
    "perplexity": "https://api.perplexity.ai",
    "hosted_vllm": None,
    "lm_studio": None,
    "openai_like": None,
    "custom_openai": None,
}
_FAMILIES = {"claude": "anthropic", "gemini": "gemini", "mistral": "mistral", "command": "cohere"}
_ENVIRONMENT = "os.environ/"
# What LiteLLM calls what a provider's configuration has, by the key that it has there.
_KEYS = {
    "api_base": "base_url",
    "base_url": "base_url",
    "api_key": "api_key",
    "api_version": "api_version",
    "organization": "organization",
    "extra_headers": "headers",
    "aws_region_name": "region",
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
_SECRETS = frozenset({"api_key", "access_key_id", "secret_access_key", "session_token"})
# The variables that are read there when the file says nothing.
_USUAL: Mapping[str, Mapping[str, str]] = {
    "azure": {"api_key": "AZURE_API_KEY", "base_url": "AZURE_API_BASE"},
    "bedrock": {
        "region": "AWS_REGION_NAME",
        "access_key_id": "AWS_ACCESS_KEY_ID",
        "secret_access_key": "AWS_SECRET_ACCESS_KEY",
    },
    "together_ai": {"api_key": "TOGETHERAI_API_KEY"},
    "perplexity": {"api_key": "PERPLEXITYAI_API_KEY"},
    "ollama": {},
    "hosted_vllm": {},
    "lm_studio": {},
}
_BEDROCK_ROUTES = ("converse", "invoke", "converse_like")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+")

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
    know, ``taken`` the variables that mean something already, and ``literals`` those that stand for
    what was in the file itself."""

    keys: Mapping[str, Collection[str]]
    taken: set[str] = field(default_factory=set)
    written: list[dict[str, Any]] = field(default_factory=list)
    literals: dict[str, str] = field(default_factory=dict)

    def reserve(self, parameters: Parameters) -> None:
        """Keep the variables of a deployment from being given to a secret of another one."""
        headers = mapping_at(parameters, "extra_headers", "litellm_params.")
        values = [*parameters.values(), *headers.values()]
        named = [one for one in values if isinstance(one, str) and one.startswith(_ENVIRONMENT)]
        self.taken |= {one.removeprefix(_ENVIRONMENT) for one in named}
        prefix, _ = _split(parameters)
        given = {ours for theirs, ours in _KEYS.items() if parameters.get(theirs) is not None}
        self.taken |= {name for key, name in _usual(prefix).items() if key not in given}

    def of(self, parameters: Parameters) -> Place | str:
        """Or, in words, why there is none."""
        prefix, upstream = _split(parameters)
        if not upstream:
            return "does not say which model it is"
        if prefix in _COMPATIBLE or (prefix == "openai" and _base(parameters)):
            type_name = "openai-compatible"
        else:
            type_name = _TYPES.get(prefix, "")
        if type_name not in self.keys:
            return f"there is no provider for '{prefix}'"
        region = None
        if prefix == "bedrock":
            region, upstream = _within_bedrock(upstream)
        members = self._members(prefix, parameters, region)
        unknown = members.keys() - self.keys[type_name]
        members = {key: value for key, value in members.items() if key not in unknown}
        if type_name == "openai-compatible" and "base_url" not in members:
            return f"'{prefix}' needs an api_base"
        for known in self.written:
            if {**known, "name": ""} == {"name": "", "type": type_name, **members}:
                return Place(known["name"], upstream, _theirs(unknown, parameters))
        name = self._free_name(prefix.replace("_", "-"))
        self.written.append({"name": name, "type": type_name, **members})
        return Place(name, upstream, _theirs(unknown, parameters))

    def _members(self, prefix: str, parameters: Parameters, region: str | None) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for theirs, ours in _KEYS.items():
            value = parameters.get(theirs)
            if value is not None:
                members[ours] = self._value(prefix, ours, value)
        if "base_url" not in members and _COMPATIBLE.get(prefix):
            members["base_url"] = _COMPATIBLE[prefix]
        if region is not None:
            members["region"] = region
        usual = {} if prefix == "bedrock" and "api_key" in members else _usual(prefix)
        for key, name in usual.items():
            members.setdefault(key, "${" + name + "}")
        return members

    def _value(self, prefix: str, key: str, value: Any) -> Any:
        if isinstance(value, str) and value.startswith(_ENVIRONMENT):
            return "${" + value.removeprefix(_ENVIRONMENT) + "}"
        if key in _SECRETS or key.startswith("headers_"):
            return self._variable(prefix, key, str(value))
        if key == "headers" and isinstance(value, Mapping):
            return {
                name: self._value(prefix, f"headers_{name}", one) for name, one in value.items()
            }
        # YAML takes a version that is a date for a date.
        return literal(str(value).rstrip("/"))

    def _variable(self, prefix: str, key: str, secret: str) -> str:
        """One for each secret: accounts that differ stay apart."""
        if secret not in self.literals:
            bare = variable_for(prefix, key)[2:-1]
            numbered = (f"{bare}_{number}" for number in range(2, len(self.taken) + 3))
            name = next(one for one in (bare, *numbered) if one not in self.taken)
            self.taken.add(name)
            self.literals[secret] = "${" + name + "}"
        return self.literals[secret]

    def _free_name(self, wanted: str) -> str:
        taken = {provider["name"] for provider in self.written}
        numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
        return next(name for name in (wanted, *numbered) if name not in taken)


def _theirs(keys: Collection[str], parameters: Parameters) -> frozenset[str]:
    return frozenset(name for name, ours in _KEYS.items() if ours in keys and name in parameters)


def keys_read() -> frozenset[str]:
    return frozenset({*_KEYS, "model", "custom_llm_provider"})


def _split(parameters: Parameters) -> tuple[str, str]:
    model = str(parameters.get("model") or "")
    given = parameters.get("custom_llm_provider")
    prefix, slash, rest = model.partition("/")
    if given:
        upstream = rest if slash and prefix == given else model
        return _SAME.get(str(given), str(given)), upstream
    prefix = _SAME.get(prefix, prefix)
    if slash:
        return prefix, rest
    family = next((one for start, one in _FAMILIES.items() if model.startswith(start)), "openai")
    return family, model


def _within_bedrock(model: str) -> tuple[str | None, str]:
    """The region that stands before the model, if one does, and the model without the way that it
    is asked in."""
    region = None
    while "/" in model and not model.startswith("arn:"):
        first, _, rest = model.partition("/")
        if first not in _BEDROCK_ROUTES and not _REGION.fullmatch(first):
            break
        region = first if _REGION.fullmatch(first) else region
        model = rest
    return region, model


def _usual(prefix: str) -> Mapping[str, str]:
    return _USUAL.get(prefix, {"api_key": variable_for(prefix, "api_key")[2:-1]})


def _base(parameters: Parameters) -> bool:
    return bool(parameters.get("api_base") or parameters.get("base_url"))
