"""What a LiteLLM proxy says of a model, as Stoa says it."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from domain.models.prices import MILLION
from domain.models.served_model import Capability

MODES = {
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
_NUMBERS = {"max_input_tokens": "context_length", "max_output_tokens": "max_output_tokens"}
_LIMITS = {"rpm": "rpm", "tpm": "tpm", "max_parallel_requests": "concurrency"}
_PRICES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached_input",
    "cache_creation_input_token_cost": "cache_write",
}
UNKNOWN = "there is nothing like it"
_ON_A_ROUTE = "it is said of a route"
_ELSEWHERE = {
    "id": "models have ids of Stoa's own",
    "base_model": "prices are known by the deployment's name; set them where it says nothing",
    "max_tokens": "say 'context_length' or 'max_output_tokens'",
    "timeout": _ON_A_ROUTE,
    "stream_timeout": _ON_A_ROUTE,
    "max_retries": _ON_A_ROUTE,
    "temperature": "callers say it",
    "top_p": "callers say it",
}


def told_of(parameters: dict[str, Any], info: dict[str, Any]) -> dict[str, Any]:
    """What the file says of the model; what was read is taken out."""
    told: dict[str, Any] = {}
    capabilities = [
        ours.value for theirs, ours in _CAPABILITIES.items() if info.get(theirs) is True
    ]
    for theirs in _CAPABILITIES:
        info.pop(theirs, None)
    if capabilities:
        told["capabilities"] = capabilities
    told |= numbers_taken(info, _NUMBERS)
    told |= _prices(parameters, info)
    limits = numbers_taken(parameters, _LIMITS)
    return told | ({"limits": limits} if limits else {})


def numbers_taken(given: dict[str, Any], names: Mapping[str, str]) -> dict[str, int]:
    """Those that are whole numbers, by our names; they are taken out."""
    found = {theirs: whole(given.get(theirs)) for theirs in names}
    taken = {theirs: amount for theirs, amount in found.items() if amount is not None}
    for theirs in taken:
        del given[theirs]
    return {names[theirs]: amount for theirs, amount in taken.items()}


def whole(value: object) -> int | None:
    """Also one that stands in quotes."""
    found = number(value)
    return None if found is None or found != found.to_integral_value() else int(found)


def number(value: object) -> Decimal | None:
    """YAML takes ``3e-7`` for a text, and so do those who write it for a number."""
    try:
        found = Decimal(-1 if value is None or isinstance(value, bool) else str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found >= 0 else None


def reason_for(key: str) -> str:
    if key in _PRICES or "_cost" in key:
        return "prices have both input and output; what is not given is known from price data"
    return _ELSEWHERE.get(key, UNKNOWN)


def _prices(parameters: dict[str, Any], info: dict[str, Any]) -> dict[str, Any]:
    """Theirs are for a token and stand in one place or the other, ours for a million."""
    found: dict[str, Decimal] = {}
    for theirs, ours in _PRICES.items():
        price = number(parameters.get(theirs, info.get(theirs)))
        if price is not None:
            found[ours] = price * MILLION
    if not found.keys() >= {"input", "output"}:
        return {}
    for theirs, ours in _PRICES.items():
        if ours in found:
            parameters.pop(theirs, None)
            info.pop(theirs, None)
    return {"prices": {ours: f"{price.normalize():f}" for ours, price in found.items()}}
