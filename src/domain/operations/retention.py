from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from domain.operations.runtime_setting import RuntimeSetting
from domain.operations.runtime_settings import (
    RETENTION_AUDIT_DAYS,
    RETENTION_CALLS_DAYS,
    RETENTION_CONTENTS_DAYS,
    RETENTION_ERRORS_DAYS,
    RETENTION_EVENTS_DAYS,
    RETENTION_NOTIFICATIONS_DAYS,
)


class RecordKind(StrEnum):
    """What is kept for a time."""

    CALLS = "calls"
    CONTENTS = "contents"
    AUDIT = "audit"
    ERRORS = "errors"
    EVENTS = "events"
    NOTIFICATIONS = "notifications"
    RESPONSES = "responses"
    BUDGETS = "budgets"


# Nobody looks at the account of a period that is over, and no call of it runs for so long; what
# calls have cost stays in the ledger.
CLOSED_ACCOUNTS_KEPT = timedelta(days=35)


RETENTION_OF: Mapping[RecordKind, RuntimeSetting[int]] = MappingProxyType(
    {
        RecordKind.CALLS: RETENTION_CALLS_DAYS,
        RecordKind.CONTENTS: RETENTION_CONTENTS_DAYS,
        RecordKind.AUDIT: RETENTION_AUDIT_DAYS,
        RecordKind.ERRORS: RETENTION_ERRORS_DAYS,
        RecordKind.EVENTS: RETENTION_EVENTS_DAYS,
        RecordKind.NOTIFICATIONS: RETENTION_NOTIFICATIONS_DAYS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """How many records went; ``months`` are the tables that went as a whole."""

    records: int = 0
    months: tuple[str, ...] = ()


def cutoffs(
    days_of: Callable[[RuntimeSetting[int]], int], now: datetime
) -> dict[RecordKind, datetime]:
    """The time before which records may go, for each kind that is not kept for ever. Contents are
    not kept longer than the calls that they belong to. Responses know themselves when they may go,
    which their teams decide; the accounts of budgets go some time after their period."""
    days = {kind: days_of(setting) for kind, setting in RETENTION_OF.items()}
    of_calls, of_contents = days[RecordKind.CALLS], days[RecordKind.CONTENTS]
    days[RecordKind.CONTENTS] = min(of_calls or of_contents, of_contents or of_calls)
    before = {kind: now - timedelta(days=kept) for kind, kept in days.items() if kept}
    closed = now - CLOSED_ACCOUNTS_KEPT
    return before | {RecordKind.RESPONSES: now, RecordKind.BUDGETS: closed}
