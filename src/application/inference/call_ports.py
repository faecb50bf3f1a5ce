"""Reading the ledger."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from application.shared.moments import check_moments
from application.shared.pagination import Slice
from domain.inference.call import Call, CallStatus
from domain.shared.ids import CallId, KeyId, TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """``since`` is inclusive, ``until`` exclusive; what is ``None`` does not restrict.

    Raises ``InvalidError`` for what no ledger can be asked.
    """

    since: datetime | None = None
    until: datetime | None = None
    key_id: KeyId | None = None
    model: str | None = None
    status: CallStatus | None = None

    def __post_init__(self) -> None:
        check_moments(since=self.since, until=self.until)


class UsageGrouping(StrEnum):
    DAY = "day"
    MODEL = "model"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """Sums over the calls of one group, each of which has one of the six statuses. ``group`` is a
    day (``2026-11-21``, UTC), a model's name or a key's id; ``label`` is the key's name where the
    group is a key. ``unpriced`` counts the calls that used something but have no price, whose cost
    is therefore not in ``cost`` (US dollars), and ``priced`` those that have a cost; ``saved`` is
    what answers out of the cache would have cost."""

    group: str
    label: str
    calls: int
    open: int
    succeeded: int
    failed: int
    refused: int
    cancelled: int
    interrupted: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cost: Decimal
    unpriced: int
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    images: int = 0
    characters: int = 0
    searches: int = 0
    seconds: Decimal = Decimal(0)
    saved: Decimal = Decimal(0)
    priced: int = 0


class CallReader(Protocol):
    """Reads the ledger, always of one team."""

    async def list(
        self, team_id: TeamId, where: CallFilter, *, cursor: str | None, limit: int
    ) -> Slice[Call]:
        """Newest first, without contents. Raises ``InvalidError`` for a cursor it did not make."""
        ...

    async def get(self, team_id: TeamId, call_id: CallId) -> Call:
        """One call, with its content if that was captured. Raises ``CallNotFoundError``."""
        ...

    async def usage(
        self, team_id: TeamId, grouping: UsageGrouping, where: CallFilter
    ) -> tuple[UsageRow, ...]:
        """One row per group, days newest first, others by cost, then calls, then name."""
        ...
