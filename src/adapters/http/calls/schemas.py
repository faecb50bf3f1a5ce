from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from msgspec import Struct

from application.shared.pagination import Slice
from domain.inference.call import (
    Attempt,
    CacheUse,
    Call,
    CallContent,
    CallStatus,
    GuardrailVerdict,
)
from domain.models.prices import Prices
from domain.shared.usage import Usage

_COUNTS = (
    "prompt_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "audio_output_tokens",
    "images",
    "characters",
    "searches",
)


class PriceView(Struct, kw_only=True):
    """US dollars per million tokens; `character` per million characters, `request`, `image` and
    `second` each. Null is what has no price of its own."""

    input: str
    output: str
    cached_input: str | None
    cache_write: str | None
    cache_write_1h: str | None
    reasoning: str | None
    audio_input: str | None
    audio_output: str | None
    character: str | None
    request: str | None
    image: str | None
    second: str | None

    @classmethod
    def of(cls, prices: Prices) -> Self:
        shown: dict[str, Any] = {}
        for name in cls.__struct_fields__:
            price = getattr(prices, name)
            shown[name] = None if price is None else money(price)
        return cls(**shown)


class AttemptView(Struct, kw_only=True):
    """One try at one deployment. `began_ms` is the time since the call was admitted; `outcome` is
    `succeeded`, `cancelled` or the code of the error that it ended with. The tokens and the `cost`
    are what its provider bills, as far as that is known; the costs are part of that of the call."""

    deployment: str
    began_ms: float
    took_ms: float
    outcome: str
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: str | None

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        usage = attempt.usage
        return cls(
            deployment=attempt.deployment,
            began_ms=round(attempt.began_ms, 3),
            took_ms=round(attempt.took_ms, 3),
            outcome=attempt.outcome,
            prompt_tokens=None if usage is None else usage.prompt_tokens,
            completion_tokens=None if usage is None else usage.completion_tokens,
            cost=None if attempt.cost is None else money(attempt.cost),
        )


class VerdictView(Struct, kw_only=True):
    """What a guardrail found in the `input` or the `output`, and what became of it."""

    stage: str
    rule: str
    action: str
    count: int

    @classmethod
    def of(cls, verdict: GuardrailVerdict) -> Self:
        return cls(
            stage=verdict.stage, rule=verdict.rule, action=verdict.action, count=verdict.count
        )


class CallView(Struct, kw_only=True):
    """One row of the ledger; what is not known (yet) is null. `cost` is in US dollars and null for
    a model without a price. `usage_counted` says that the gateway counted the tokens itself.

    `model` is the name that was asked for, `routed_to` the model that was chosen and `reason` why;
    both are null, and `attempts` is empty, where the name was that of a single model, which
    answered or failed at once. `cost` is that of all attempts, the tokens are those of the last.
    `saved` is what an answer out of the `cache` would have cost."""

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
    cache_write_tokens: int | None
    cache_write_1h_tokens: int | None
    audio_input_tokens: int | None
    completion_tokens: int | None
    reasoning_tokens: int | None
    audio_output_tokens: int | None
    images: int | None
    seconds: str | None
    characters: int | None
    searches: int | None
    usage_counted: bool
    cost: str | None
    price: PriceView | None
    latency_ms: float | None
    ttft_ms: float | None
    provider_request_id: str | None
    routed_to: str | None
    reason: str | None
    arm: str | None
    attempts: tuple[AttemptView, ...]
    cache: CacheUse | None
    saved: str | None
    guardrails: tuple[VerdictView, ...]
    tags: tuple[str, ...]

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
        "routed_to": call.routed_to,
        "reason": call.reason,
        "arm": call.arm,
        "attempts": tuple(map(AttemptView.of, call.attempts)),
        "cache": call.cache,
        "saved": None if call.saved is None else money(call.saved),
        "guardrails": tuple(map(VerdictView.of, call.guardrails)),
        "tags": call.tags,
    }


def _tokens(usage: Usage | None) -> dict[str, Any]:
    return {
        **{name: None if usage is None else getattr(usage, name) for name in _COUNTS},
        "seconds": None if usage is None else money(usage.seconds),
        "usage_counted": usage is not None and usage.counted,
    }


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)


def _content(content: CallContent | None) -> ContentView | None:
    if content is None:
        return None
    return ContentView(request=content.request, response=content.response)
