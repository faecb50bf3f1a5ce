"""Which provider of Stoa's a deployment of a LiteLLM proxy is at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.catalog.writing import literal, variable_for

_TYPES = {
    "openai": "openai",
    "text-completion-openai": "openai",
    "azure": "azure-openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "bedrock": "bedrock",
    "mistral": "mistral",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "ollama": "ollama",
    "ollama_chat": "ollama",
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
# Where a provider finds its key when nobody says.
_USUAL_KEYS = {"google": "GEMINI_API_KEY", "ollama": None, "bedrock": None}

Parameters = Mapping[str, Any]


@dataclass(slots=True)
class ImportedProviders:
    """The providers found so far, those that are the same only once."""

    known_types: frozenset[str]
    written: list[dict[str, Any]] = field(default_factory=list)
    literals: list[str] = field(default_factory=list)

    def of(self, parameters: Parameters) -> tuple[str, str] | str:
        """The name of the provider and what it calls the model; or, in words, why not."""
        prefix, upstream = _split(parameters)
        if prefix in _COMPATIBLE or (prefix == "openai" and _base(parameters)):
            type_name = "openai-compatible"
        else:
            type_name = _TYPES.get(prefix, "")
        if type_name not in self.known_types:
            return f"there is no provider for '{prefix}'"
        members = self._members(prefix, type_name, parameters)
        if type_name == "openai-compatible" and "base_url" not in members:
            return f"'{prefix}' needs an api_base"
        for known in self.written:
            if {**known, "name": ""} == {"name": "", "type": type_name, **members}:
                return known["name"], upstream
        name = self._free_name(prefix.replace("_", "-"))
        self.written.append({"name": name, "type": type_name, **members})
        return name, upstream

    def _members(self, prefix: str, type_name: str, parameters: Parameters) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for theirs, ours in _KEYS.items():
            value = parameters.get(theirs)
            if value is not None:
                members[ours] = self._value(prefix, ours, value)
        if "base_url" not in members and _COMPATIBLE.get(prefix):
            members["base_url"] = _COMPATIBLE[prefix]
        usual = _USUAL_KEYS.get(type_name, f"{prefix.upper()}_API_KEY")
        if "api_key" not in members and usual and prefix not in {"hosted_vllm", "lm_studio"}:
            members["api_key"] = "${" + usual + "}"
        return members

    def _value(self, prefix: str, key: str, value: Any) -> Any:
        if isinstance(value, str) and value.startswith(_ENVIRONMENT):
            return "${" + value.removeprefix(_ENVIRONMENT) + "}"
        if key in _SECRETS:
            variable = variable_for(prefix, key)
            self.literals.append(variable)
            return variable
        if key == "headers" and isinstance(value, Mapping):
            return {
                name: self._value(prefix, "secret_access_key", one)
                if not str(one).startswith(_ENVIRONMENT)
                else self._value(prefix, key, one)
                for name, one in value.items()
            }
        return literal(value.rstrip("/") if isinstance(value, str) else value)

    def _free_name(self, wanted: str) -> str:
        taken = {provider["name"] for provider in self.written}
        numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
        return next(name for name in (wanted, *numbered) if name not in taken)


def keys_read() -> frozenset[str]:
    return frozenset({*_KEYS, "model", "custom_llm_provider"})


def _split(parameters: Parameters) -> tuple[str, str]:
    model = str(parameters.get("model", ""))
    given = parameters.get("custom_llm_provider")
    prefix, slash, rest = model.partition("/")
    if given:
        return str(given), rest if slash and prefix == given else model
    if slash and prefix in _TYPES.keys() | _COMPATIBLE.keys():
        return prefix, rest
    family = next((one for start, one in _FAMILIES.items() if model.startswith(start)), "openai")
    return (prefix, rest) if slash else (family, model)


def _base(parameters: Parameters) -> bool:
    return bool(parameters.get("api_base") or parameters.get("base_url"))
