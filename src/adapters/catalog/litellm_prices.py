"""What a LiteLLM proxy says of prices, as Stoa says it."""

import re
from decimal import Decimal
from typing import Any

from adapters.catalog.litellm_numbers import number
from domain.models.prices import MILLION

# Theirs are for one token or character, ours for a million.
_BY_THE_MILLION = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached_input",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
}
# What is billed each, or by the character, means something for one kind of model only.
_OF_A_KIND = {
    "image": {"output_cost_per_image": "image", "input_cost_per_image": "image"},
    "transcription": {"input_cost_per_second": "second"},
    "speech": {"input_cost_per_character": "character"},
    "rerank": {"input_cost_per_query": "request"},
}
_NEEDED = {"chat": {"input", "output"}, "embedding": {"input"}}
_TIER = re.compile(r"(\w+)_above_([0-9]+)k_tokens")


def is_price(key: str) -> bool:
    return "_cost" in key or key in _BY_THE_MILLION


def prices_taken(parameters: dict[str, Any], info: dict[str, Any], kind: str) -> dict[str, Any]:
    """They stand in one place or the other; what was read is taken out of both."""
    given = {**info, **parameters}
    names = _BY_THE_MILLION | _OF_A_KIND.get(kind, {})
    found = _found(given, {key: key for key in names})
    amounts = {names[key]: found[key] * _unit(names[key]) for key in found}
    needed = _NEEDED.get(kind, set())
    if not amounts or not amounts.keys() >= needed:
        return {}
    read = set(found)
    prices: dict[str, Any] = _texts(amounts)
    tiers = []
    for size, keys in sorted(_tiers(given).items()):
        further = _found(given, keys)
        if {_BY_THE_MILLION[key] for key in further} >= needed:
            read |= {keys[key] for key in further}
            billed = {_BY_THE_MILLION[key]: price * MILLION for key, price in further.items()}
            tiers.append({"above": size, **_texts(billed)})
    for key in read:
        parameters.pop(key, None)
        info.pop(key, None)
    return {"prices": prices | ({"tiers": tiers} if tiers else {})}


def _tiers(given: dict[str, Any]) -> dict[int, dict[str, str]]:
    """By the size that a prompt has more than: what each price is called for those."""
    tiers: dict[int, dict[str, str]] = {}
    for key in given:
        match = _TIER.fullmatch(key)
        if match and match[1] in _BY_THE_MILLION:
            tiers.setdefault(int(match[2]) * 1_000, {})[match[1]] = key
    return tiers


def _found(given: dict[str, Any], keys: dict[str, str]) -> dict[str, Decimal]:
    read = {name: number(given.get(key)) for name, key in keys.items()}
    return {name: price for name, price in read.items() if price is not None}


def _unit(price: str) -> Decimal:
    return Decimal(1) if price in {"image", "second", "request"} else MILLION


def _texts(amounts: dict[str, Decimal]) -> dict[str, str]:
    return {name: f"{price.normalize():f}" for name, price in amounts.items()}
