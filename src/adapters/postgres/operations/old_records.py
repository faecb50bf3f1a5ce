import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg

from adapters.postgres.engine import connect
from adapters.postgres.errors import translated
from adapters.postgres.partitions import next_month
from application.operations.ports import OldRecords
from domain.operations.retention import RecordKind, Removed
from domain.shared.errors import UnavailableError

# Dropping a table waits for those who use it, and all others wait behind that.
LOCK_TIMEOUT = "2s"
AT_ONCE = 10_000

_LOCK = 0x53746F61_00000009
_TABLE_OF = {
    RecordKind.CALLS: "calls",
    RecordKind.CONTENTS: "call_contents",
    RecordKind.AUDIT: "audit_logs",
    RecordKind.ERRORS: "error_logs",
    RecordKind.EVENTS: "events",
}
# A month that was detached and could not be dropped is no partition any more.
_MONTHS = """
SELECT c.relname AS name, i.inhdetachpending AS is_half_detached
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname ~ $1
ORDER BY c.relname
"""
_OLD = {
    RecordKind.NOTIFICATIONS: "FROM notifications WHERE created_at < $1",
    RecordKind.RESPONSES: "FROM responses WHERE expires_at < $1",
    RecordKind.BUDGETS: """
FROM budget_periods p JOIN budgets b USING (team_id, subject_kind, subject_id)
WHERE p.starts_at < $1 AND p.held = 0 AND budget_ends_at(b.period, p.starts_at) < $1
""",
}
_ROWS = {
    RecordKind.NOTIFICATIONS: """
WITH old AS (SELECT team_id, id FROM notifications WHERE created_at < $1 LIMIT $2)
DELETE FROM notifications n USING old WHERE n.team_id = old.team_id AND n.id = old.id
""",
    RecordKind.RESPONSES: """
WITH old AS (SELECT team_id, id FROM responses WHERE expires_at < $1 LIMIT $2)
DELETE FROM responses r USING old WHERE r.team_id = old.team_id AND r.id = old.id
""",
    # Whoever charges one of them goes before; should a call still belong to one that is gone, the
    # account is made anew out of the ledger.
    RecordKind.BUDGETS: """
WITH old AS (
    SELECT p.team_id, p.subject_kind, p.subject_id, p.starts_at
    FROM budget_periods p JOIN budgets b USING (team_id, subject_kind, subject_id)
    WHERE p.starts_at < $1 AND p.held = 0 AND budget_ends_at(b.period, p.starts_at) < $1
    LIMIT $2 FOR UPDATE OF p SKIP LOCKED
)
DELETE FROM budget_periods p USING old WHERE p.team_id = old.team_id
AND p.subject_kind = old.subject_kind AND p.subject_id = old.subject_id
AND p.starts_at = old.starts_at
""",
}
# What somebody chose to ignore is ignored when it comes back, too.
_ERROR_GROUPS = """
DELETE FROM error_groups g WHERE g.last_seen < $1 AND g.state <> 'ignored'
AND NOT EXISTS (SELECT FROM error_logs l WHERE l.group_id = g.id)
"""


class PostgresOldRecords(OldRecords):
    """Whole months are detached and dropped, which leaves the other months writable; of what has
    no months, old rows are deleted."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        async with self._connection() as connection:
            # It goes with the connection, also when this process is killed.
            yield await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK)

    async def remove(self, kind: RecordKind, before: datetime, *, dry_run: bool) -> Removed:
        async with self._connection() as connection:
            if kind in _ROWS:
                return Removed(records=await _rows(connection, kind, before, dry_run=dry_run))
            removed = await _months(connection, _TABLE_OF[kind], before, dry_run=dry_run)
            if kind is RecordKind.ERRORS and not dry_run:
                await connection.execute(_ERROR_GROUPS, before)
            return removed

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        with translated():
            connection = await connect(
                self._database_url, purpose="retention", lock_timeout=LOCK_TIMEOUT
            )
            try:
                yield connection
            except asyncpg.LockNotAvailableError as error:
                raise UnavailableError("The tables of old records are in use.") from error
            finally:
                await connection.close()


async def _rows(
    connection: asyncpg.Connection, kind: RecordKind, before: datetime, *, dry_run: bool
) -> int:
    if dry_run:
        counted: int = await connection.fetchval(f"SELECT count(*) {_OLD[kind]}", before)
        return counted
    removed = 0
    while True:
        status = await connection.execute(_ROWS[kind], before, AT_ONCE)
        deleted = int(status.split()[-1])
        removed += deleted
        if deleted < AT_ONCE:
            return removed


async def _months(
    connection: asyncpg.Connection, table: str, before: datetime, *, dry_run: bool
) -> Removed:
    records, months = 0, []
    for month in await connection.fetch(_MONTHS, rf"^{table}_\d{{4}}_\d{{2}}$"):
        name = month["name"]
        if _end_of(name) > before:
            continue
        records += await connection.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608
        months.append(name)
        if not dry_run:
            await _drop(connection, table, name, is_half_detached=month["is_half_detached"])
    return Removed(records=records, months=tuple(months))


async def _drop(
    connection: asyncpg.Connection, table: str, name: str, *, is_half_detached: bool | None
) -> None:
    """``is_half_detached`` is ``None`` for a table that is no partition any more."""
    if is_half_detached is not None:
        how = "FINALIZE" if is_half_detached else "CONCURRENTLY"
        await connection.execute(f"ALTER TABLE {table} DETACH PARTITION {name} {how}")
    await connection.execute(f"DROP TABLE {name}")


def _end_of(name: str) -> datetime:
    found = re.search(r"(\d{4})_(\d{2})$", name)
    if found is None:
        raise ValueError(name)
    return next_month(datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC))
