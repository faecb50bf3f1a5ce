"""Where the members of Mistral's requests differ from OpenAI's."""

from typing import Any

import msgspec

from adapters.providers.json_reading import NOT_JSON
from adapters.providers.mistral.messages import adapted_messages
from adapters.providers.mistral.tools import adapted_calling
from adapters.providers.openai_compatible.request import Members
from application.inference.ports import Operation
from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

_NULL = b"null"
# These change nothing in an answer, and Mistral refuses to hear of them.
_WITHOUT_EFFECT = frozenset(
    {
        "user",
        "store",
        "safety_identifier",
        "prompt_cache_retention",
        "stream_options",
    }
)
_RENAMED = {"seed": "random_seed", "max_completion_tokens": "max_tokens"}
_RENAMED_IN_EMBEDDINGS = {"dimensions": "output_dimension"}
# What says nothing that is not so anyway.
_HARMLESS = {
    "modalities": (["text"],),
    "verbosity": ("medium",),
    "logit_bias": ({},),
}
# Others are wishes for speed, which change no answer.
_TIERS = (None, "auto", "standard_only")
_NO_TIER = msgspec.Raw(_NULL)
_UNKNOWN = frozenset(
    {
        *_HARMLESS,
        "functions",
        "function_call",
        "audio",
        "web_search_options",
    }
)


def adapt(operation: Operation, members: Members) -> Members:
    """Members that Mistral knows under another name get it; those of OpenAI that it has nothing
    for are refused by name. All others go as they are: Mistral says itself what it does not know.
    """
    kept = {
        name: value
        for name, value in members.items()
        if name not in _WITHOUT_EFFECT and bytes(value) != _NULL
    }
    if operation is Operation.EMBEDDING:
        return _renamed(kept, _RENAMED_IN_EMBEDDINGS)
    if operation is not Operation.CHAT:
        return kept
    for name in _UNKNOWN.intersection(kept):
        if _decoded(kept.pop(name), name) not in _HARMLESS.get(name, ()):
            raise UnsupportedByModelError(f"Mistral's models have no '{name}'.", param=name)
    return _chat(_renamed(kept, _RENAMED))


def _chat(changed: Members) -> Members:
    if _decoded(changed.get("service_tier", _NO_TIER), "service_tier") not in _TIERS:
        del changed["service_tier"]
    if "tools" in changed:
        changed |= adapted_calling(changed)
    if "messages" in changed:
        changed["messages"] = adapted_messages(changed["messages"])
    return changed


def _renamed(members: Members, names: dict[str, str]) -> Members:
    changed = {name: value for name, value in members.items() if name not in names}
    for name, new in names.items():
        if name not in members:
            continue
        if new in members:
            raise InvalidError(f"'{name}' and '{new}' say the same; send one of them.", param=name)
        changed[new] = members[name]
    return changed


def _decoded(value: msgspec.Raw, name: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except NOT_JSON as error:
        raise InvalidError(f"'{name}' cannot be read: {error}", param=name) from error
