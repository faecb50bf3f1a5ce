from dataclasses import fields
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.cursors import cursor_at, id_in
from adapters.postgres.errors import translated
from adapters.postgres.operations.rows import audit_logs
from adapters.postgres.partitions import lowest_id
from application.operations.records.ports import AuditFilter, AuditReader
from application.shared.pagination import Slice
from domain.operations.audit import ActorKind, AuditEntry
from domain.shared.ids import TeamId

# An id is made at nearly the time that its row shows; bounds on it are there to leave out months.
SLACK = timedelta(days=1)

_COLUMNS = tuple(field.name for field in fields(AuditEntry))
_EQUAL = ("user_id", "key_id", "target_type", "target_id")


class PostgresAuditReader(AuditReader):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def list(
        self, team_id: TeamId, where: AuditFilter, *, cursor: str | None, limit: int
    ) -> Slice[AuditEntry]:
        # One more than asked for tells whether there are more.
        query = audit_query(team_id, where, cursor).limit(limit + 1)
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).mappings().all()
        items = tuple(map(_entry_of, rows[:limit]))
        more = len(rows) > limit
        return Slice(items=items, next_cursor=cursor_at(items[-1].id) if more else None)


def audit_query(team_id: TeamId, where: AuditFilter, cursor: str | None) -> Select[Any]:
    """Newest first."""
    query = select(audit_logs).where(audit_logs.c.team_id == team_id, *_conditions(where))
    if cursor is not None:
        query = query.where(audit_logs.c.id < id_in(cursor))
    return query.order_by(audit_logs.c.id.desc())


def _conditions(where: AuditFilter) -> list[ColumnElement[bool]]:
    columns = audit_logs.c
    found: list[ColumnElement[bool]] = [
        columns[name] == wanted for name in _EQUAL if (wanted := getattr(where, name)) is not None
    ]
    if where.since is not None:
        found += [columns.at >= where.since, columns.id >= lowest_id(where.since - SLACK)]
    if where.until is not None:
        found += [columns.at < where.until, columns.id < lowest_id(where.until + SLACK)]
    return [*found, *_of_action(where)]


def _of_action(where: AuditFilter) -> list[ColumnElement[bool]]:
    action, prefix = audit_logs.c.action, where.action_prefix
    if prefix is not None:
        # Byte by byte, as the index is ordered. What begins with "key." is less than "key/".
        after = f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}"
        return [action.op("~>=~", is_comparison=True)(prefix), action.op("~<~")(after)]
    return [] if where.action is None else [action == where.action]


def _entry_of(row: RowMapping) -> AuditEntry:
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    return AuditEntry(**values | {"actor_kind": ActorKind(row["actor_kind"])})
