import base64
import binascii
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, RowMapping, Select, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from adapters.postgres.identity.rows import ApiKeyRow
from adapters.postgres.inference.partitions import lowest_id
from adapters.postgres.inference.rows import call_contents, calls
from application.inference.ports import CallFilter, CallReader, UsageGrouping, UsageRow
from application.shared.pagination import Slice
from domain.inference.call import Call, CallContent, CallStatus
from domain.inference.errors import CallNotFoundError
from domain.models.prices import Prices
from domain.shared.errors import FieldError, InvalidError
from domain.shared.ids import CallId, KeyId, TeamId, UserId
from domain.shared.usage import Usage

_UUID_BYTES = 16
_STATUSES = ("succeeded", "failed", "refused", "cancelled")
_TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")


class PostgresCallReader(CallReader):
    """Ids are UUIDv7, so the order of ids is the order of creation, and a cursor is the last id."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def list(
        self, team_id: TeamId, where: CallFilter, *, cursor: str | None, limit: int
    ) -> Slice[Call]:
        conditions = _conditions(team_id, where)
        if cursor is not None:
            conditions.append(calls.c.id < _decode(cursor))
        query = select(calls).where(*conditions).order_by(calls.c.id.desc()).limit(limit + 1)
        rows = await self._all(query)
        items = tuple(_to_call(row) for row in rows[:limit])
        return Slice(items=items, next_cursor=_encode(items[-1].id) if len(rows) > limit else None)

    async def get(self, team_id: TeamId, call_id: CallId) -> Call:
        content = call_contents.c
        query = (
            select(calls, content.request, content.response)
            .outerjoin(
                call_contents,
                (content.team_id == calls.c.team_id) & (content.id == calls.c.id),
            )
            .where(calls.c.team_id == team_id, calls.c.id == call_id)
        )
        rows = await self._all(query)
        if not rows:
            raise CallNotFoundError
        call = _to_call(rows[0])
        if rows[0]["request"] is not None:
            call.content = CallContent(request=rows[0]["request"], response=rows[0]["response"])
        return call

    async def usage(
        self, team_id: TeamId, grouping: UsageGrouping, where: CallFilter
    ) -> tuple[UsageRow, ...]:
        group = _group(grouping)
        query = (
            select(
                group.label("group"),
                func.count().label("calls"),
                *(
                    func.count().filter(calls.c.status == status).label(status)
                    for status in _STATUSES
                ),
                *(func.coalesce(func.sum(calls.c[name]), 0).label(name) for name in _TOKENS),
                func.coalesce(func.sum(calls.c.cost), 0).label("cost"),
                func.count()
                .filter(
                    calls.c.input_price.is_(None),
                    calls.c.prompt_tokens + calls.c.completion_tokens > 0,
                )
                .label("unpriced"),
            )
            .where(*_conditions(team_id, where))
            .group_by(group)
        )
        names = await self._key_names(team_id) if grouping is UsageGrouping.KEY else {}
        rows = [_to_usage(row, names) for row in await self._all(query)]
        if grouping is UsageGrouping.DAY:
            return tuple(sorted(rows, key=lambda row: row.group, reverse=True))
        return tuple(sorted(rows, key=lambda row: (-row.cost, -row.calls, row.label, row.group)))

    async def _key_names(self, team_id: TeamId) -> dict[str, str]:
        rows = await self._all(
            select(ApiKeyRow.id, ApiKeyRow.name).where(ApiKeyRow.team_id == team_id)
        )
        return {str(row["id"]): row["name"] for row in rows}

    async def _all(self, query: Select[Any]) -> Sequence[RowMapping]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(query)).mappings().all()


def _conditions(team_id: TeamId, where: CallFilter) -> list[ColumnElement[bool]]:
    """The bounds on the id say nothing new; they let Postgres skip whole months."""
    conditions = [calls.c.team_id == team_id]
    if where.since is not None:
        conditions += [calls.c.created_at >= where.since, calls.c.id >= lowest_id(where.since)]
    if where.until is not None:
        conditions.append(calls.c.created_at < where.until)
    if where.key_id is not None:
        conditions.append(calls.c.key_id == where.key_id)
    if where.model is not None:
        conditions.append(calls.c.model == where.model)
    if where.status is not None:
        conditions.append(calls.c.status == where.status.value)
    return conditions


def _group(grouping: UsageGrouping) -> ColumnElement[str]:
    if grouping is UsageGrouping.DAY:
        return cast(cast(func.timezone("UTC", calls.c.created_at), Date), Text)
    if grouping is UsageGrouping.KEY:
        return func.coalesce(cast(calls.c.key_id, Text), "")
    return func.coalesce(calls.c.model, "")


def _to_usage(row: RowMapping, names: dict[str, str]) -> UsageRow:
    group = row["group"]
    return UsageRow(
        group=group,
        label=names.get(group, group),
        calls=row["calls"],
        succeeded=row["succeeded"],
        failed=row["failed"],
        refused=row["refused"],
        cancelled=row["cancelled"],
        prompt_tokens=int(row["prompt_tokens"]),
        cached_tokens=int(row["cached_tokens"]),
        completion_tokens=int(row["completion_tokens"]),
        reasoning_tokens=int(row["reasoning_tokens"]),
        cost=row["cost"],
        unpriced=row["unpriced"],
    )


def _to_call(row: RowMapping) -> Call:
    return Call(
        id=CallId(row["id"]),
        team_id=TeamId(row["team_id"]),
        key_id=None if row["key_id"] is None else KeyId(row["key_id"]),
        user_id=None if row["user_id"] is None else UserId(row["user_id"]),
        correlation_id=row["correlation_id"],
        endpoint=row["endpoint"],
        model=row["model"],
        stream=row["stream"],
        created_at=row["created_at"],
        provider=row["provider"],
        deployment=row["deployment"],
        price=_to_prices(row),
        status=CallStatus(row["status"]),
        settled_at=row["settled_at"],
        error_code=row["error_code"],
        finish_reason=row["finish_reason"],
        usage=_to_tokens(row),
        cost=row["cost"],
        latency_ms=row["latency_ms"],
        ttft_ms=row["ttft_ms"],
        provider_request_id=row["provider_request_id"],
    )


def _to_prices(row: RowMapping) -> Prices | None:
    if row["input_price"] is None:
        return None
    return Prices(
        input=row["input_price"],
        output=row["output_price"],
        cached_input=row["cached_input_price"],
    )


def _to_tokens(row: RowMapping) -> Usage | None:
    if row["prompt_tokens"] is None:
        return None
    return Usage(**{name: row[name] for name in _TOKENS}, counted=row["usage_counted"])


def _encode(call_id: UUID) -> str:
    return base64.urlsafe_b64encode(call_id.bytes).decode().rstrip("=")


def _decode(cursor: str) -> UUID:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _UUID_BYTES:
        message = "is not a cursor of this list"
        raise InvalidError(
            f"'cursor' {message}.", param="cursor", errors=(FieldError("cursor", message),)
        )
    return UUID(bytes=raw)
