"""What the types of providers take as the ``options`` of a model, checked before one is served."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from adapters.dialects.anthropic.options import AnthropicOptions
from adapters.providers.local.model_spec import LocalModelSpec
from adapters.providers.scripted.options import ScriptedOptions
from domain.models.served_model import ServedModel
from domain.shared.errors import InvalidError

# What is wrong with a member of a model, by its path.
Problem = tuple[str, str]
_AT = " - at `$."


class _OpenAIOptions(msgspec.Struct, forbid_unknown_fields=True):
    cache_control: bool = False


class _BedrockOptions(msgspec.Struct, forbid_unknown_fields=True):
    family: str | None = None
    guardrail: dict[str, Any] | None = None
    thinking: Literal["adaptive", "budget"] | None = None


class _CohereOptions(msgspec.Struct, forbid_unknown_fields=True):
    input_type: str | None = None
    truncate: str | None = None
    safety_mode: str | None = None


class _GoogleOptions(msgspec.Struct, forbid_unknown_fields=True):
    safety_settings: list[dict[str, Any]] | None = None


class _OllamaOptions(msgspec.Struct):
    """All others are Ollama's own."""

    keep_alive: str | int | None = None
    think: bool | str | None = None


_TAKEN: Mapping[str, type[msgspec.Struct]] = {
    "anthropic": AnthropicOptions,
    "azure-openai": _OpenAIOptions,
    "bedrock": _BedrockOptions,
    "cohere": _CohereOptions,
    "google": _GoogleOptions,
    "mistral": _OpenAIOptions,
    "ollama": _OllamaOptions,
    "openai": _OpenAIOptions,
    "openai-compatible": _OpenAIOptions,
    "scripted": ScriptedOptions,
}


def option_problems(type_name: str, model: ServedModel) -> Sequence[Problem]:
    """Why a provider of that type cannot serve the model as it is described."""
    special = _SPECIAL.get(type_name)
    if special is not None:
        return special(model)
    taken = _TAKEN.get(type_name)
    if taken is None:
        return ()
    try:
        msgspec.convert(dict(model.options), taken)
    except msgspec.ValidationError as error:
        return (_told(str(error), taken),)
    return ()


def _told(message: str, taken: type[msgspec.Struct]) -> Problem:
    if message.startswith("Object contains unknown field"):
        known = ", ".join(f"'{one}'" for one in taken.__struct_fields__)
        path = message.rpartition(_AT)[2].rstrip("`") if _AT in message else ""
        field = message.partition("`")[2].partition("`")[0]
        return _at(path), f"have no '{field}'" + ("" if path else f"; they may be {known}")
    what, _, path = message.partition(_AT)
    return _at(path.rstrip("`")), _in_our_words(what)


def _at(path: str) -> str:
    return f"options.{path}" if path else "options"


def _in_our_words(what: str) -> str:
    return f"is not what it must be: {what[:1].lower()}{what[1:].replace('`', chr(39))}"


def _local(model: ServedModel) -> Sequence[Problem]:
    try:
        LocalModelSpec.of(model)
    except InvalidError as error:
        field = "upstream_name" if model.upstream_name in error.message else "options"
        message = error.message.removeprefix(f"Model '{model.name}': ").rstrip(".")
        return ((field, f"cannot be served: {message}"),)
    return ()


_SPECIAL: Mapping[str, Callable[[ServedModel], Sequence[Problem]]] = {"local": _local}
