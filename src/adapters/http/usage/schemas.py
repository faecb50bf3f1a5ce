from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from msgspec import Struct

from adapters.http.calls.schemas import money
from application.inference.call_ports import UsageGrouping, UsageRow
from domain.inference.call import CallStatus

COUNTS = (
    "calls",
    *CallStatus,
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "unpriced",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "images",
    "characters",
    "searches",
)
AMOUNTS = ("cost", "seconds", "saved")


class UsageTotals(Struct, kw_only=True):
    """Each of the `calls` has one of the six statuses. `cost` is in US dollars; `unpriced` counts
    calls that used something but have no price, which are not in it. `saved` is what answers out
    of the cache would have cost, `seconds` the length of the audio that was heard."""

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
    unpriced: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    audio_input_tokens: int
    audio_output_tokens: int
    images: int
    characters: int
    searches: int
    seconds: str
    cost: str
    saved: str

    @classmethod
    def of(cls, rows: Sequence[UsageRow]) -> Self:
        sums = {name: sum(getattr(row, name) for row in rows) for name in COUNTS}
        amounts: dict[str, Any] = {
            name: money(sum((getattr(row, name) for row in rows), Decimal(0))) for name in AMOUNTS
        }
        return cls(**sums, **amounts)


class UsageItem(UsageTotals, kw_only=True):
    """`group` is a day in UTC, a model's name or a key's id; `label` is for people."""

    group: str
    label: str

    @classmethod
    def of_row(cls, row: UsageRow) -> Self:
        counts = {name: getattr(row, name) for name in COUNTS}
        amounts: dict[str, Any] = {name: money(getattr(row, name)) for name in AMOUNTS}
        return cls(**counts, **amounts, group=row.group, label=row.label)


class UsageView(Struct, kw_only=True):
    group_by: UsageGrouping
    since: datetime | None
    until: datetime | None
    items: tuple[UsageItem, ...]
    totals: UsageTotals
