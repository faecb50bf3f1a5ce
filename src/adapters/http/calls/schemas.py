from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from msgspec import Struct

from application.shared.pagination import Slice
from domain.inference.call import Call, CallContent, CallStatus
from domain.models.prices import Prices
from domain.shared.usage import Usage


class PriceView(Struct, kw_only=True):
    """US dollars per million tokens."""

    input: str
    output: str
    cached_input: str | None

    @classmethod
    def of(cls, prices: Prices) -> Self:
        cached = prices.cached_input
        return cls(
            input=money(prices.input),
            output=money(prices.output),
            cached_input=None if cached is None else money(cached),
        )


class CallView(Struct, kw_only=True):
    """One row of the ledger; what is not known (yet) is null. `cost` is in US dollars and null for
    a model without a price. `usage_counted` says that the gateway counted the tokens itself."""

    id: UUID
    created_at: datetime
    settled_at: datetime | None
    correlation_id: str
    key_id: UUID | None
    user_id: UUID | None
    endpoint: str
    model: str
    provider: str | None
    deployment: str | None
    stream: bool
    status: CallStatus
    error_code: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    cached_tokens: int | None
    completion_tokens: int | None
    reasoning_tokens: int | None
    usage_counted: bool
    cost: str | None
    price: PriceView | None
    latency_ms: float | None
    ttft_ms: float | None
    provider_request_id: str | None

    @classmethod
    def of(cls, call: Call) -> Self:
        return cls(**_members(call))


class ContentView(Struct, kw_only=True):
    """What was asked and answered, as it went over the wire."""

    request: str
    response: str


class CallDetailView(CallView, kw_only=True):
    """`content` is null unless the team captured contents at the time."""

    content: ContentView | None

    @classmethod
    def of(cls, call: Call) -> Self:
        return cls(**_members(call), content=_content(call.content))


class CallSlice(Struct, kw_only=True):
    items: tuple[CallView, ...]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Slice[Call]) -> Self:
        return cls(
            items=tuple(CallView.of(call) for call in found.items), next_cursor=found.next_cursor
        )


def money(amount: Decimal) -> str:
    """Never in exponent notation, and without zeros that say nothing."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _members(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "created_at": call.created_at,
        "settled_at": call.settled_at,
        "correlation_id": call.correlation_id,
        "key_id": call.key_id,
        "user_id": call.user_id,
        "endpoint": call.endpoint,
        "model": call.model,
        "provider": call.provider,
        "deployment": call.deployment,
        "stream": call.stream,
        "status": call.status,
        "error_code": call.error_code,
        "finish_reason": call.finish_reason,
        **_tokens(call.usage),
        "cost": None if call.cost is None else money(call.cost),
        "price": None if call.price is None else PriceView.of(call.price),
        "latency_ms": _rounded(call.latency_ms),
        "ttft_ms": _rounded(call.ttft_ms),
        "provider_request_id": call.provider_request_id,
    }


def _tokens(usage: Usage | None) -> dict[str, Any]:
    return {
        "prompt_tokens": usage and usage.prompt_tokens,
        "cached_tokens": usage and usage.cached_tokens,
        "completion_tokens": usage and usage.completion_tokens,
        "reasoning_tokens": usage and usage.reasoning_tokens,
        "usage_counted": usage is not None and usage.counted,
    }


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)


def _content(content: CallContent | None) -> ContentView | None:
    if content is None:
        return None
    return ContentView(request=content.request, response=content.response)
