import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres import migrate
from adapters.postgres.partitions import PARTITIONED
from adapters.postgres.schema_version import HEAD, schema_version
from domain.shared.errors import InvalidError, UnavailableError
from tests.fixtures.embedded_postgres import PROJECT, execute, fetch

OLDEST_FIRST = [revision.id for revision in reversed(migrate.history())]
TABLES = "SELECT coalesce(string_agg(relname, ',' ORDER BY relname), '') FROM pg_class WHERE {}"
OWN_TABLES = TABLES.format(
    "relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
)
PARTITIONS = TABLES.format("relispartition AND relkind = 'r'")


async def test_every_migration_goes_up_down_and_up_again(fresh_database_url: str) -> None:
    url = fresh_database_url
    before: str | None = None

    for revision in OLDEST_FIRST:
        await migrate.upgrade(url, revision)
        tables = await fetch(url, OWN_TABLES)
        await migrate.downgrade(url, "-1")
        assert await migrate.current(url) == before
        await migrate.upgrade(url, revision)
        assert await migrate.current(url) == revision
        assert await fetch(url, OWN_TABLES) == tables
        before = revision

    assert await migrate.check(url) == []


async def test_nothing_is_left_at_the_base(migrated_database_url: str) -> None:
    await migrate.downgrade(migrated_database_url, "base")

    assert await fetch(migrated_database_url, OWN_TABLES) == "alembic_version"
    assert await fetch(migrated_database_url, PARTITIONS) == ""
    assert await migrate.current(migrated_database_url) is None
    assert await schema_version(migrated_database_url) is None


async def test_the_code_knows_the_newest_version() -> None:
    assert migrate.history()[0].id == HEAD


def test_every_migration_says_what_it_is() -> None:
    assert all(revision.title for revision in migrate.history())


async def test_servers_that_start_at_once_wait_for_each_other(fresh_database_url: str) -> None:
    await asyncio.gather(*(migrate.upgrade(fresh_database_url) for _ in range(4)))

    assert await schema_version(fresh_database_url) == HEAD
    assert await migrate.check(fresh_database_url) == []


async def test_upgrading_makes_the_partitions_of_now_and_the_next_months(
    migrated_database_url: str,
) -> None:
    partitions = str(await fetch(migrated_database_url, PARTITIONS)).split(",")

    now = datetime.now(UTC)
    assert len(partitions) == 4 * len(PARTITIONED)
    assert f"calls_{now:%Y_%m}" in partitions
    assert f"call_contents_{now:%Y_%m}" in partitions


async def test_check_names_what_has_drifted(migrated_database_url: str) -> None:
    await execute(
        migrated_database_url,
        "ALTER TABLE teams ALTER name DROP NOT NULL, ADD surplus int",
        "ALTER TABLE calls DROP CONSTRAINT ck_calls_status",
        "DROP INDEX ix_calls_team_id_model_id",
    )

    drifts = await migrate.check(migrated_database_url)

    assert sorted(drifts) == [
        "add index ix_calls_team_id_model_id",
        "missing check constraint ck_calls_status on calls",
        "modify nullable teams name",
        "remove column teams surplus",
    ]


async def test_check_tells_an_old_schema(fresh_database_url: str) -> None:
    await migrate.upgrade(fresh_database_url, OLDEST_FIRST[0])

    assert "add table calls" in await migrate.check(fresh_database_url)


@pytest.mark.parametrize("move", [migrate.upgrade, migrate.downgrade])
async def test_refuses_an_unknown_revision(database_url: str, move: object) -> None:
    assert callable(move)

    with pytest.raises(InvalidError) as error:
        await move(database_url, "2001_odyssey")

    assert error.value.param == "revision"
    assert HEAD in error.value.message


async def test_says_why_a_database_cannot_be_reached() -> None:
    with pytest.raises(UnavailableError) as error:
        await migrate.upgrade("postgresql://stoa@/stoa?host=/nonexistent")

    assert "No such file" in error.value.message


async def test_alembic_itself_works_from_anywhere(fresh_database_url: str, tmp_path: Path) -> None:
    alembic = [sys.executable, "-m", "alembic", "-c", str(PROJECT / "alembic.ini")]
    environment = {**os.environ, "STOA_DATABASE_URL": fresh_database_url}

    results = [
        await asyncio.to_thread(
            subprocess.run,
            [*alembic, *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        for words in (["upgrade", "head"], ["check"])
    ]

    assert [result.returncode for result in results] == [0, 0], results
    assert "No new upgrade operations" in results[1].stdout
    assert await schema_version(fresh_database_url) == HEAD


async def test_a_call_needs_a_team_and_goes_with_it(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    row = "'00000000-0000-7000-8000-000000000001', uuidv7(), 'c', 'e', 'm', false, now(), 'open', 1"
    columns = "team_id, id, correlation_id, endpoint, model, stream, created_at, status, process"
    insert = f"INSERT INTO calls ({columns}) VALUES ({row})"  # noqa: S608

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.execute(insert)
    await connection.execute(
        "INSERT INTO teams VALUES ('00000000-0000-7000-8000-000000000001', 't', now())"
    )
    await connection.execute(insert)
    await connection.execute("DELETE FROM teams")
    left = await connection.fetchval("SELECT count(*) FROM calls")
    await connection.close()

    assert left == 0
