"""A writer's connection that was given up does nothing behind the back of the next one."""

import asyncio

import asyncpg
import pytest

from adapters.postgres.inference.fence import Fence

_COUNT = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
_BLOCKED = """
SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'
"""


async def test_what_is_still_under_way_over_a_lost_connection_is_ended(database_url: str) -> None:
    fence = Fence()
    lost = await asyncpg.connect(database_url)
    watching = await asyncpg.connect(database_url)
    await fence.cross(lost)
    pid = lost.get_server_pid()
    await watching.execute("SELECT pg_advisory_lock(4711)")
    writing = asyncio.create_task(lost.execute("SELECT pg_advisory_lock(4711)"))
    while not await watching.fetchval(_BLOCKED, pid):
        await asyncio.sleep(0.01)
    # The server does not notice that while it waits.
    lost.terminate()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await writing
    following = await asyncpg.connect(database_url)

    assert await watching.fetchval(_COUNT, pid) == 1
    await fence.cross(following)

    assert await watching.fetchval(_COUNT, pid) == 0
    await watching.close()
    await following.close()


async def test_a_connection_that_is_over_holds_nobody_up(database_url: str) -> None:
    fence = Fence()
    for _ in range(3):
        connection = await asyncpg.connect(database_url)
        await fence.cross(connection)
        await connection.close()


async def test_nobody_else_is_ended(database_url: str) -> None:
    first, second = Fence(), Fence()
    one, other = await asyncpg.connect(database_url), await asyncpg.connect(database_url)

    await first.cross(one)
    await second.cross(other)

    assert await one.fetchval("SELECT 1") == 1
    await one.close()
    await other.close()
