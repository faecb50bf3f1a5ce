from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from domain.models.prices import Prices
from domain.shared.ids import AllotmentId, CallId, KeyId, TeamId, UserId
from domain.shared.usage import Usage


class CallStatus(StrEnum):
    OPEN = "open"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContent:
    """What was asked and answered; kept only for teams that switched capture on."""

    request: str
    response: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at one deployment. ``began_ms`` is the time since the admission, ``outcome`` is
    ``succeeded``, ``cancelled`` or the code of the error that it ended with. ``usage`` and ``cost``
    are what its provider bills, as far as that is known; ``model`` is the name of what it tried."""

    deployment: str
    began_ms: float
    took_ms: float
    outcome: str
    usage: Usage | None = None
    cost: Decimal | None = None
    model: str | None = None


class CacheUse(StrEnum):
    """Whether an answer came out of the cache; ``bypass`` is at the client's wish, or because the
    request cannot be compared, ``away`` because the cache could not be asked."""

    HIT = "hit"
    SEMANTIC = "semantic"
    MISS = "miss"
    BYPASS = "bypass"
    AWAY = "away"


# Whoever gets such an answer owes nobody anything for it.
_FROM_CACHE = frozenset({CacheUse.HIT, CacheUse.SEMANTIC})


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailVerdict:
    """What a guardrail found, without the words themselves. ``stage`` is ``input`` or ``output``,
    ``rule`` such as ``pii:email`` or ``denied``, ``action`` is ``redacted``, ``refused`` or
    ``reported``."""

    stage: str
    rule: str
    action: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.stage} {self.rule} {self.action} {self.count}"


@dataclass(slots=True, kw_only=True)
class Call:
    """One row of the ledger: a model call from its admission to its outcome.

    A call is born open (or refused, when it never reached a provider) and settles exactly once.
    ``price`` is the price it will be charged at, fixed when it opens, so that a later change of
    prices never rewrites history; once it is settled, that of the tier that it was charged at.
    Durations are in milliseconds; ``ttft_ms`` is the time from the admission to the first byte of
    the answer.

    ``model`` is the name that was asked for, ``routed_to`` the model that answered, ``reason`` why
    that one was chosen, ``arm`` the side of a split that the caller is on. ``saved`` is what an
    answer out of the cache would have cost. ``lenders`` are the other teams of whose registries a
    model was asked. ``held`` came out of the allotment of that id; a call
    without one has a hold of its own, or none.
    """

    id: CallId
    team_id: TeamId
    key_id: KeyId | None
    user_id: UserId | None
    correlation_id: str
    endpoint: str
    model: str
    stream: bool
    created_at: datetime
    provider: str | None = None
    deployment: str | None = None
    price: Prices | None = None
    status: CallStatus = CallStatus.OPEN
    settled_at: datetime | None = None
    error_code: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    cost: Decimal | None = None
    latency_ms: float | None = None
    ttft_ms: float | None = None
    provider_request_id: str | None = None
    content: CallContent | None = None
    routed_to: str | None = None
    reason: str | None = None
    arm: str | None = None
    attempts: tuple[Attempt, ...] = ()
    cache: CacheUse | None = None
    saved: Decimal | None = None
    guardrails: tuple[GuardrailVerdict, ...] = ()
    tags: tuple[str, ...] = ()
    lenders: tuple[TeamId, ...] = ()
    held: Decimal | None = None
    allotment_id: AllotmentId | None = None

    @property
    def is_recalled(self) -> bool:
        """Whether the answer came out of the cache."""
        return self.cache in _FROM_CACHE

    def use(self, owner: TeamId | None) -> None:
        """A model of that team's registry is asked; ``None`` is the configuration."""
        if owner is not None and owner != self.team_id and owner not in self.lenders:
            self.lenders = (*self.lenders, owner)

    def settle(
        self,
        status: CallStatus,
        *,
        at: datetime,
        latency_ms: float,
        usage: Usage | None = None,
        error_code: str | None = None,
        beside: Decimal | None = None,
    ) -> None:
        """Close the call with its outcome and the cost that follows from its usage. ``beside`` is
        what attempts have cost that did not answer it."""
        self.status = status
        self.settled_at = at
        self.latency_ms = latency_ms
        self.error_code = error_code
        self.usage = usage
        if usage is not None and self.price is not None:
            self.price = self.price.at(usage.prompt_tokens)
        if self.is_recalled:
            self.cost = Decimal(0)
        elif usage is not None and self.price is not None:
            self.cost = self.price.bill(usage)
        if beside is not None:
            self.cost = beside + (self.cost or 0)
