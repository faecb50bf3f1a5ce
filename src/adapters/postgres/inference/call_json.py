"""A ledger row as JSON: what the ledger's statements read, and the snapshot of a call at once."""

import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from operator import attrgetter
from typing import Any

import msgspec

from domain.inference.call import Call, CallStatus
from domain.models.prices import Prices
from domain.shared.usage import Usage

# An index entry must fit into a third of a page; no served model has a name that comes near.
MAX_MODEL_LENGTH = 256

_encode = msgspec.json.Encoder().encode
_NUL = b"\\u0000"
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_REPLACEMENT = rb"\1" + "\N{REPLACEMENT CHARACTER}".encode()

# This runs twice for each call. Most calls leave most of this out, and what a row does not name
# costs neither its encoding nor its reading.
_RARE = (
    "routed_to",
    "reason",
    "arm",
    "attempts",
    "cache",
    "saved",
    "guardrails",
    "tags",
    "lenders",
)
_RARE_PRICES = (
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "audio_input",
    "audio_output",
    "character",
    "request",
    "image",
    "second",
)
_RARE_USAGE = (
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "images",
    "seconds",
    "characters",
    "searches",
)
_PRICE_COLUMNS = tuple(f"{name}_price" for name in _RARE_PRICES)
_rare_of = attrgetter(*_RARE)
_rare_prices_of = attrgetter(*_RARE_PRICES)
_rare_usage_of = attrgetter(*_RARE_USAGE)
_NOTHING_RARE = (None, None, None, (), None, None, (), (), ())
_NO_RARE_PRICES = (None,) * len(_RARE_PRICES)
_NO_RARE_USAGE = (0,) * len(_RARE_USAGE)


def encode_call(call: Call) -> bytes:
    """What Postgres cannot store in a text, NUL and lone surrogates, is replaced."""
    row = _row_of(call)
    try:
        encoded = _encode(row)
    except UnicodeEncodeError:
        encoded = _encode(_without_surrogates(row))
    return _ESCAPED_NUL.sub(_REPLACEMENT, encoded) if _NUL in encoded else encoded


def for_the_log(row: bytes) -> dict[str, Any]:
    """The whole row without contents, which are never logged."""
    decoded: dict[str, Any] = msgspec.json.decode(row)
    if decoded.pop("request", None) is not None:
        del decoded["response"]
        decoded["content"] = "[OMITTED]"
    return decoded


def _row_of(call: Call) -> dict[str, Any]:
    model, price = call.model, call.price
    row: dict[str, Any] = {
        "id": call.id,
        "team_id": call.team_id,
        "key_id": call.key_id,
        "user_id": call.user_id,
        "correlation_id": call.correlation_id,
        "endpoint": call.endpoint,
        "model": model if len(model) <= MAX_MODEL_LENGTH else f"{model[: MAX_MODEL_LENGTH - 1]}…",
        "stream": call.stream,
        "created_at": call.created_at,
        "provider": call.provider,
        "deployment": call.deployment,
        "status": call.status,
    }
    if price is not None:
        _add_price(row, price)
    rare = _rare_of(call)
    if rare != _NOTHING_RARE:
        _add(row, _RARE, rare)
    if call.allotment_id is not None:
        row["held"] = call.held
        row["allotment_id"] = call.allotment_id
    if call.status is not CallStatus.OPEN:
        _add_outcome(row, call)
    return row


def _add_outcome(row: dict[str, Any], call: Call) -> None:
    row["settled_at"] = call.settled_at
    row["error_code"] = call.error_code
    row["finish_reason"] = call.finish_reason
    row["cost"] = call.cost
    row["latency_ms"] = call.latency_ms
    row["ttft_ms"] = call.ttft_ms
    row["provider_request_id"] = call.provider_request_id
    if call.content is not None:
        row["request"] = call.content.request
        row["response"] = call.content.response
    if call.usage is not None:
        _add_usage(row, call.usage)


def _add_price(row: dict[str, Any], price: Prices) -> None:
    row["input_price"] = price.input
    row["output_price"] = price.output
    row["cached_input_price"] = price.cached_input
    rare = _rare_prices_of(price)
    if rare != _NO_RARE_PRICES:
        _add(row, _PRICE_COLUMNS, rare)


def _add_usage(row: dict[str, Any], usage: Usage) -> None:
    row["prompt_tokens"] = usage.prompt_tokens
    row["cached_tokens"] = usage.cached_tokens
    row["completion_tokens"] = usage.completion_tokens
    row["reasoning_tokens"] = usage.reasoning_tokens
    row["usage_counted"] = usage.counted
    rare = _rare_usage_of(usage)
    if rare != _NO_RARE_USAGE:
        _add(row, _RARE_USAGE, rare)


def _add(row: dict[str, Any], columns: Iterable[str], values: Iterable[Any]) -> None:
    """What there is; a price of zero is one, no tokens are none."""
    row.update(
        (column, value)
        for column, value in zip(columns, values, strict=True)
        if value is not None and value != ()
    )


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Enum):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {name: _without_surrogates(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_without_surrogates, value))
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _without_surrogates(getattr(value, f.name)) for f in fields(value)}
        return replace(value, **changed)
    return value
