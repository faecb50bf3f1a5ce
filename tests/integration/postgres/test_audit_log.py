"""The audit log on Postgres: nobody rewrites it, and reading it stays cheap."""

import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.http.audit.export import ExportFormat, export
from adapters.postgres.engine import make_engine
from adapters.postgres.operations.audit_reader import PostgresAuditReader, audit_query
from adapters.postgres.operations.old_records import PostgresOldRecords
from adapters.postgres.partitions import PARTITIONED, ensure_partitions, partition_name
from application.operations.records.export_audit import ExportAudit, ExportAuditQuery
from application.operations.records.ports import AuditFilter
from domain.operations.retention import RecordKind
from tests.builders import KEY_ID, OTHER_TEAM_ID, TEAM_ID, USER_ID, an_actor
from tests.fakes.ids import uuid7_at

NOW = datetime.now(UTC)
LAST_CENTURY = datetime(1998, 5, 1, tzinfo=UTC)
ROWS = 12_000
FILL = f"""
INSERT INTO audit_logs
    (team_id, id, at, actor_kind, user_id, key_id, action, target_type, target_id, after,
     correlation_id)
SELECT CASE WHEN n % 100 = 0 THEN '{TEAM_ID}'::uuid ELSE $1 END, uuidv7(), now(), 'user',
    CASE WHEN n % 500 = 0 THEN '{USER_ID}'::uuid ELSE uuidv7() END,
    CASE WHEN n % 500 = 0 THEN '{KEY_ID}'::uuid ELSE uuidv7() END,
    CASE WHEN n % 500 = 0 THEN 'key.issued' ELSE 'team.updated' END, 'thing', n::text,
    jsonb_build_object('name', repeat('x', 1000)), 'c'
FROM generate_series(1, {ROWS}) AS n
"""  # noqa: S608 - of our own making


@pytest.fixture
async def application(team_url: str) -> AsyncIterator[AsyncEngine]:
    """Connected as the server is."""
    engine = make_engine(team_url, pool_size=2)
    yield engine
    await engine.dispose()


@pytest.fixture
async def last_century(sql: asyncpg.Connection) -> AsyncIterator[str]:
    """A month of long ago in every table; the name of the audit log's."""
    await ensure_partitions(sql, [LAST_CENTURY])
    yield partition_name("audit_logs", LAST_CENTURY)
    for table in PARTITIONED:
        await sql.execute(f"DROP TABLE IF EXISTS {partition_name(table, LAST_CENTURY)}")


async def _add(sql: asyncpg.Connection, at: datetime) -> None:
    await sql.execute(
        "INSERT INTO audit_logs (team_id, id, at, actor_kind, action, target_type, target_id,"
        " correlation_id) VALUES ($1, $2, $3, 'system', 'a.b', 't', 'i', 'c')",
        TEAM_ID,
        uuid7_at(at),
        at,
    )


@pytest.mark.parametrize("table", ["audit_logs", partition_name("audit_logs", NOW)])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET action = 'nothing.happened'",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "TRUNCATE {} CASCADE",
        "INSERT INTO {} TABLE audit_logs ON CONFLICT (team_id, id) DO UPDATE SET action = 'x'",
    ],
    ids=["update", "delete", "truncate", "truncate cascade", "upsert"],
)
async def test_the_application_cannot_rewrite_the_audit_log(
    application: AsyncEngine, sql: asyncpg.Connection, table: str, statement: str
) -> None:
    await _add(sql, NOW)

    with pytest.raises(DBAPIError, match="the audit log is append-only"):
        async with application.begin() as connection:
            await connection.execute(text(statement.format(table)))

    assert [r["action"] for r in await sql.fetch("SELECT action FROM audit_logs")] == ["a.b"]


async def test_a_month_that_is_made_later_cannot_be_truncated_either(
    application: AsyncEngine, last_century: str
) -> None:
    with pytest.raises(DBAPIError, match="the audit log is append-only"):
        async with application.begin() as connection:
            await connection.execute(text(f"TRUNCATE {last_century}"))


@pytest.mark.usefixtures("last_century")
async def test_retention_removes_a_whole_month_and_leaves_the_others(
    team_url: str, sql: asyncpg.Connection
) -> None:
    await _add(sql, LAST_CENTURY)
    await _add(sql, NOW)

    removed = await PostgresOldRecords(team_url).remove(
        RecordKind.AUDIT, datetime(1998, 6, 1, tzinfo=UTC), dry_run=False
    )

    assert removed.records == 1
    assert await sql.fetchval("SELECT count(*) FROM audit_logs") == 1


@pytest.fixture
async def filled(sql: asyncpg.Connection) -> asyncpg.Connection:
    """A hundredth of the rows is of the team of the builders, and of those a fifth is special."""
    await sql.execute(FILL, OTHER_TEAM_ID)
    await sql.execute("ANALYZE audit_logs")
    return sql


async def test_every_filter_has_an_index(filled: asyncpg.Connection) -> None:
    used = {
        index: await _plan(filled, where)
        for index, where in {
            "_pkey": AuditFilter(),
            "_user_id_": AuditFilter(user_id=USER_ID),
            "_key_id_": AuditFilter(key_id=KEY_ID),
            "_action_": AuditFilter(action="key.issued"),
            "_action_id": AuditFilter(action="key.*"),
            "_target_type_": AuditFilter(target_type="thing", target_id="700"),
        }.items()
    }

    assert {index: plan for index, plan in used.items() if index not in plan} == {}


@pytest.mark.usefixtures("filled")
async def test_an_export_takes_no_more_memory_for_more_rows(
    application: AsyncEngine,
) -> None:
    use_case = ExportAudit(reader=PostgresAuditReader(application))
    actor = an_actor(team_id=OTHER_TEAM_ID)
    lines = 0

    pieces = await use_case(ExportAuditQuery(actor=actor, where=AuditFilter()))
    tracemalloc.start()
    async for piece in export(pieces, ExportFormat.CSV):
        lines += piece.count(b"\r\n")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lines == ROWS - ROWS // 100 + 1
    # The whole file has more than twelve million bytes.
    assert peak < 5_000_000


async def _plan(sql: asyncpg.Connection, where: AuditFilter) -> str:
    """How the month of now is looked through."""
    query = audit_query(TEAM_ID, where, None).limit(51)
    statement = query.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    plan = await sql.fetch(f"EXPLAIN {statement}")
    return "\n".join(row[0] for row in plan if partition_name("audit_logs", NOW) in row[0])
