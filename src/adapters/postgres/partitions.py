"""What only grows is partitioned by month, by the time that is inside of its UUIDv7 ids."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

PARTITIONED = ("calls", "call_contents", "audit_logs", "events", "error_logs")
APPEND_ONLY = "audit_logs"
MONTHS_AHEAD = 3

_REFUSAL = "refuse_to_rewrite_the_audit_log"
_LOCK = 0x53746F61_00000002
_RANDOM_BITS = 80
_MAX_MS = (1 << 48) - 1


class SqlConnection(Protocol):
    """What is needed of a connection of asyncpg."""

    def transaction(self) -> "SqlTransaction": ...

    async def execute(self, query: str, *args: object) -> object: ...

    async def fetchval(self, query: str, *args: object) -> object: ...


class SqlTransaction(Protocol):
    async def __aenter__(self) -> object: ...

    async def __aexit__(self, *error: object) -> object: ...


def lowest_id(at: datetime) -> UUID:
    """No UUIDv7 of that millisecond or later sorts before it."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=min(max(milliseconds, 0), _MAX_MS) << _RANDOM_BITS)


def month_of(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return datetime(at.year, at.month, 1, tzinfo=UTC)


def next_month(month: datetime) -> datetime:
    years, index = divmod(month.month, 12)
    return month.replace(year=month.year + years, month=index + 1)


def months_from(at: datetime, ahead: int = MONTHS_AHEAD) -> tuple[datetime, ...]:
    """The month of that time and those that follow it."""
    months = [month_of(at)]
    for _ in range(ahead):
        months.append(next_month(months[-1]))
    return tuple(months)


def partition_name(table: str, month: datetime) -> str:
    return f"{table}_{month:%Y_%m}"


async def ensure_partitions(connection: SqlConnection, months: Iterable[datetime]) -> list[str]:
    """Create what is missing and return its names. Any number of nodes may do it at once.

    A new partition is attached, not created in place, since only that leaves the ledger writable
    meanwhile.
    """
    created: list[str] = []
    for month in map(month_of, months):
        for table in PARTITIONED:
            name = partition_name(table, month)
            # An older schema may not have the table yet.
            if await _exists(connection, name) or not await _exists(connection, table):
                continue
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
                if await _exists(connection, name):
                    continue
                start, end = lowest_id(month), lowest_id(next_month(month))
                await connection.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
                await connection.execute(
                    f"ALTER TABLE {table} ATTACH PARTITION {name}"
                    f" FOR VALUES FROM ('{start}') TO ('{end}')"
                )
                if table == APPEND_ONLY:
                    # The parent's other triggers come with attaching; this kind does not.
                    await connection.execute(
                        f"CREATE TRIGGER tr_{table}_no_truncate BEFORE TRUNCATE ON {name}"
                        f" FOR EACH STATEMENT EXECUTE FUNCTION {_REFUSAL}()"
                    )
            created.append(name)
    return created


async def _exists(connection: SqlConnection, name: str) -> bool:
    # Not to_regclass(): it may answer from a cache that waiting for the lock does not refresh.
    found = await connection.fetchval(
        "SELECT true FROM pg_class"
        " WHERE relname = $1 AND relnamespace = current_schema()::regnamespace",
        name,
    )
    return found is True
