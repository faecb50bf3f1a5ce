from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from uuid import UUID

from application.inference.call_ports import (
    CallFilter,
    CallReader,
    UsageGrouping,
    UsageRow,
)
from application.shared.pagination import Slice
from domain.inference.call import Call, CallStatus
from domain.inference.errors import CallNotFoundError
from domain.shared.errors import FieldError, InvalidError
from domain.shared.ids import CallId, KeyId, TeamId
from domain.shared.usage import Usage
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.inference import LedgerRows

_CURSOR = "before-"


class InMemoryCallReader(CallReader):
    """Reads the rows of an ``InMemoryLedger``; the names of keys come from ``identity``."""

    def __init__(self, rows: LedgerRows, identity: InMemoryIdentity | None = None) -> None:
        self._rows = rows
        self._identity = identity or InMemoryIdentity()

    async def list(
        self, team_id: TeamId, where: CallFilter, *, cursor: str | None, limit: int
    ) -> Slice[Call]:
        before = None if cursor is None else _id_in(cursor)
        newest_first = sorted(self._found(team_id, where), key=lambda call: call.id, reverse=True)
        rest = [call for call in newest_first if before is None or call.id < before]
        chosen = tuple(replace(call, content=None) for call in rest[:limit])
        more = len(rest) > limit
        return Slice(items=chosen, next_cursor=f"{_CURSOR}{chosen[-1].id}" if more else None)

    async def get(self, team_id: TeamId, call_id: CallId) -> Call:
        call = self._rows.calls.get(call_id)
        if call is None or call.team_id != team_id:
            raise CallNotFoundError
        return deepcopy(call)

    async def usage(
        self, team_id: TeamId, grouping: UsageGrouping, where: CallFilter
    ) -> tuple[UsageRow, ...]:
        groups: defaultdict[str, list[Call]] = defaultdict(list)
        for call in self._found(team_id, where):
            groups[_group(call, grouping)].append(call)
        rows = [
            _sums(group, self._label(group, grouping), calls) for group, calls in groups.items()
        ]
        if grouping is UsageGrouping.DAY:
            return tuple(sorted(rows, key=lambda row: row.group, reverse=True))
        return tuple(sorted(rows, key=lambda row: (-row.cost, -row.calls, row.label, row.group)))

    def _found(self, team_id: TeamId, where: CallFilter) -> Iterator[Call]:
        for call in self._rows.calls.values():
            if call.team_id == team_id and _matches(call, where):
                yield call

    def _label(self, group: str, grouping: UsageGrouping) -> str:
        if grouping is not UsageGrouping.KEY or not group:
            return group
        key = self._identity.committed.keys.get(KeyId(UUID(group)))
        return group if key is None else key.name


def _id_in(cursor: str) -> UUID:
    try:
        return UUID(cursor.removeprefix(_CURSOR))
    except ValueError:
        message = "is not a cursor of this list"
        raise InvalidError(
            f"'cursor' {message}.", param="cursor", errors=(FieldError("cursor", message),)
        ) from None


def _matches(call: Call, where: CallFilter) -> bool:
    return (
        (where.since is None or call.created_at >= where.since)
        and (where.until is None or call.created_at < where.until)
        and where.key_id in (None, call.key_id)
        and where.model in (None, call.model)
        and where.status in (None, call.status)
    )


def _group(call: Call, grouping: UsageGrouping) -> str:
    if grouping is UsageGrouping.DAY:
        return call.created_at.astimezone(UTC).date().isoformat()
    if grouping is UsageGrouping.MODEL:
        return call.model
    return str(call.key_id or "")


def _sums(group: str, label: str, calls: list[Call]) -> UsageRow:
    usages = [call.usage or Usage() for call in calls]
    statuses = [call.status for call in calls]
    return UsageRow(
        group=group,
        label=label,
        calls=len(calls),
        open=statuses.count(CallStatus.OPEN),
        succeeded=statuses.count(CallStatus.SUCCEEDED),
        failed=statuses.count(CallStatus.FAILED),
        refused=statuses.count(CallStatus.REFUSED),
        cancelled=statuses.count(CallStatus.CANCELLED),
        interrupted=statuses.count(CallStatus.INTERRUPTED),
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        cached_tokens=sum(usage.cached_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        reasoning_tokens=sum(usage.reasoning_tokens for usage in usages),
        cost=sum((call.cost for call in calls if call.cost is not None), Decimal(0)),
        unpriced=sum(_used_something(call) and call.cost is None for call in calls),
        cache_write_tokens=sum(usage.cache_write_tokens for usage in usages),
        priced=sum(call.cost is not None for call in calls),
        cache_write_1h_tokens=sum(usage.cache_write_1h_tokens for usage in usages),
        audio_input_tokens=sum(usage.audio_input_tokens for usage in usages),
        audio_output_tokens=sum(usage.audio_output_tokens for usage in usages),
        images=sum(usage.images for usage in usages),
        characters=sum(usage.characters for usage in usages),
        searches=sum(usage.searches for usage in usages),
        seconds=sum((usage.seconds for usage in usages), Decimal(0)),
        saved=sum((call.saved for call in calls if call.saved is not None), Decimal(0)),
    )


def _used_something(call: Call) -> bool:
    usage = call.usage or Usage()
    tokens = usage.prompt_tokens + usage.completion_tokens
    return tokens + usage.images + usage.characters + usage.searches + usage.seconds > 0
