"""Token buckets, seen from what was taken out of them.

A limit of 60 per minute is a bucket of 60 that fills by one in a second. What counts is not how
full it is but how much was spent and has not grown back, so that a bucket nobody uses is nothing at
all, and a limit that is raised has its room at once.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.identity.allowance import Limits, Subject
from domain.shared.ids import TeamId

MINUTE_S = 60.0
# How long to wait for a call of one's own to end: nobody can know.
CONCURRENCY_RETRY_S = 1.0
_SHORTEST_RETRY_S = 0.001
# Sums of fractions may miss a whole number by less than this.
_TOLERANCE = 1e-6
_MS = 1000


class Purpose(StrEnum):
    """What is counted; each has its own buckets."""

    CALLS = "calls"
    API = "api"
    DEPLOYMENT = "deployment"


class Measure(StrEnum):
    REQUESTS = "requests"
    TOKENS = "tokens"
    CONCURRENCY = "concurrency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """A subject whose limits a demand has to respect."""

    subject: Subject
    limits: Limits

    def reserved(self, tokens: int) -> int:
        """How many of the tokens are set aside. An estimate that is larger than the bucket waits
        for a full one, and does not wait for ever."""
        return 0 if self.limits.tpm is None else min(tokens, self.limits.tpm)

    def correction(self, tokens: int, used: int | None) -> int:
        """How many tokens more than those set aside were used; nothing is corrected where nobody
        knows."""
        if used is None or self.limits.tpm is None:
            return 0
        return used - self.reserved(tokens)


# Not frozen like other values: one is made for every call, and that would double what it costs.
@dataclass(slots=True, kw_only=True)
class Demand:
    """One request and its estimated tokens. ``id`` is that of what holds the places that limits of
    concurrency have; nothing but the three known numbers of ``Limits`` is counted."""

    id: UUID
    team_id: TeamId
    purpose: Purpose
    limited: tuple[Limited, ...]
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a subject has taken out of its buckets, and how many of its calls run."""

    requests: float = 0.0
    tokens: float = 0.0
    running: int = 0

    def grown_back(self, limits: Limits, elapsed_s: float) -> "Spent":
        """The same after that time; a clock that went back takes nothing away."""
        elapsed_s = max(0.0, elapsed_s)
        return Spent(
            requests=_grown_back(self.requests, limits.rpm, elapsed_s),
            tokens=_grown_back(self.tokens, limits.tpm, elapsed_s),
            running=self.running,
        )

    def has_room(self, limits: Limits, tokens: float) -> bool:
        """Whether one more call of that many tokens may run."""
        return (
            (limits.rpm is None or self.requests + 1 <= limits.rpm + _TOLERANCE)
            and (limits.tpm is None or self.tokens + tokens <= limits.tpm + _TOLERANCE)
            and (limits.concurrency is None or self.running + 1 <= limits.concurrency)
        )

    def plus(self, *, requests: float = 0.0, tokens: float = 0.0, running: int = 0) -> "Spent":
        """Nothing that is given back makes more room than the limit."""
        return Spent(
            requests=max(0.0, self.requests + requests),
            tokens=max(0.0, self.tokens + tokens),
            running=max(0, self.running + running),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a caller stands with one limit: ``reset_s`` is how many seconds it takes until all of
    it is there again."""

    limit: int
    remaining: int
    reset_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """The tightest limit of each sort that the caller has; ``None`` where none is set."""

    requests: Standing | None = None
    tokens: Standing | None = None

    @classmethod
    def of(cls, states: Iterable[tuple[Limits, Spent]]) -> "Standings":
        requests: Standing | None = None
        tokens: Standing | None = None
        for limits, spent in states:
            requests = _tighter(requests, limits.rpm, spent.requests)
            tokens = _tighter(tokens, limits.tpm, spent.tokens)
        return cls(requests=requests, tokens=tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A limit that has no room for what is wanted."""

    limited: Limited
    measure: Measure
    limit: int
    used: float
    wanted: int
    retry_s: float


def worst_shortage(demand: Demand, states: Iterable[Spent]) -> Shortage:
    """The limit that a refused demand has to wait for the longest; ``states`` belong to its
    subjects, one to one."""
    shortages = [
        shortage
        for limited, spent in zip(demand.limited, states, strict=True)
        for shortage in _shortages(limited, spent, limited.reserved(demand.tokens))
    ]
    return max(shortages, key=lambda shortage: shortage.retry_s)


def _shortages(limited: Limited, spent: Spent, tokens: int) -> Iterable[Shortage]:
    limits = limited.limits
    for measure, limit, used, wanted in (
        (Measure.REQUESTS, limits.rpm, spent.requests, 1),
        (Measure.TOKENS, limits.tpm, spent.tokens, tokens),
    ):
        if limit is not None:
            missing = used + wanted - limit
            yield Shortage(
                limited=limited,
                measure=measure,
                limit=limit,
                used=used,
                wanted=wanted,
                retry_s=max(_SHORTEST_RETRY_S, missing * MINUTE_S / limit),
            )
    if limits.concurrency is not None and spent.running >= limits.concurrency:
        yield Shortage(
            limited=limited,
            measure=Measure.CONCURRENCY,
            limit=limits.concurrency,
            used=spent.running,
            wanted=1,
            retry_s=CONCURRENCY_RETRY_S,
        )


def _grown_back(spent: float, per_minute: int | None, elapsed_s: float) -> float:
    if per_minute is None:
        return 0.0
    return max(0.0, spent - elapsed_s * per_minute / MINUTE_S)


def _tighter(known: Standing | None, limit: int | None, spent: float) -> Standing | None:
    """The one of which less remains; this runs at every call that has limits."""
    if limit is None:
        return known
    remaining = max(0, int(limit - spent + _TOLERANCE))
    if known is not None and (known.remaining, known.limit) <= (remaining, limit):
        return known
    return Standing(limit=limit, remaining=remaining, reset_s=spent * MINUTE_S / limit)


def duration(seconds: float) -> str:
    """As OpenAI writes it: ``6m0s``, ``1.5s``, ``20ms``, ``0s``."""
    milliseconds = math.ceil(seconds * _MS)
    if 0 < milliseconds < _MS:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60 * _MS)
    hours, minutes = divmod(minutes, 60)
    shown = f"{rest / _MS:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{shown}"
    return f"{minutes}m{shown}" if minutes else shown
