"""A server and its database are killed, paused and cut while callers are at it."""

import asyncio
import signal
from functools import partial

import pytest

from tests.fixtures.fault_ground import (
    Caller,
    Fate,
    Providers,
    a_caller,
    all_places_are_free,
    asking,
    at_rest,
    database_of,
    nothing_is_lost,
    signal_tree,
    statuses,
)
from tests.fixtures.patience import until, until_told
from tests.fixtures.server import StoaServer

FATES = [Fate.ANSWERED, Fate.FALLEN_BACK, Fate.HUNG, Fate.HUNG_FALLEN_BACK]
CALLS = 32
# What nobody who waits for a paused database has patience for.
PAUSE_S = 5.5
CUTS = 5
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@pytest.mark.parametrize("arrived", [1, 20])
async def test_a_server_that_is_killed_under_load_loses_nothing(
    server: StoaServer, providers: Providers, arrived: int
) -> None:
    caller = await a_caller(server)
    before = len(providers.near.requests)
    async with caller.client(server) as client:
        calls = [asyncio.create_task(caller.call(client, FATES[n % 4])) for n in range(CALLS)]
        await until(lambda: len(providers.near.requests) >= before + arrived)
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*calls)
    await asyncio.to_thread(server.start)

    database = database_of(server)
    await at_rest(database, caller)
    await nothing_is_lost(database, caller, providers)
    await all_places_are_free(server, caller, providers)


async def test_what_was_settled_stays_and_what_ran_is_charged_what_was_held(
    server: StoaServer, providers: Providers
) -> None:
    caller, database = await a_caller(server), database_of(server)
    async with caller.client(server) as client:
        calls = [asyncio.create_task(caller.call(client, FATES[n % 4])) for n in range(CALLS)]

        async def is_halfway() -> bool:
            found = await statuses(database, caller)
            return found["succeeded"] == CALLS / 2 and found["open"] == CALLS / 2

        await until_told(is_halfway)
        await until(lambda: providers.hanging(caller) == CALLS / 2)
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*calls)
    await asyncio.to_thread(server.start)

    database = database_of(server)
    await at_rest(database, caller)
    assert await statuses(database, caller) == {
        "succeeded": CALLS / 2,
        "interrupted": CALLS / 2,
    }
    await nothing_is_lost(database, caller, providers)
    async with asking(database) as connection:
        costs = await connection.fetch(
            "SELECT DISTINCT status, routed_to, cost > 0.0001 AS is_hold FROM calls"
            " WHERE key_id = $1 AND cost > 0",
            caller.key_id,
        )
    assert {tuple(row) for row in costs} == {
        ("succeeded", "near", False),
        ("succeeded", "far", False),
        ("interrupted", "near", True),
    }


async def test_a_paused_database_holds_up_no_running_call_and_loses_none(
    server: StoaServer, providers: Providers
) -> None:
    caller, database = await a_caller(server), database_of(server)
    postmaster = int((server.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
    providers.gate.clear()
    async with caller.client(server) as client:
        running = [asyncio.create_task(caller.call(client, Fate.GATED)) for _ in range(8)]

        async def are_written() -> bool:
            # The server knows, too, that they are.
            shown = (await client.get("/metrics")).text.splitlines()
            found = await statuses(database, caller)
            return found["open"] == len(running) and "stoa_ledger_backlog 0.0" in shown

        await until_told(are_written)
        await until(lambda: providers.hanging(caller) == len(running))
        signal_tree(postmaster, signal.SIGSTOP)
        try:
            providers.gate.set()
            told = await asyncio.gather(*running)
            new = [asyncio.create_task(caller.call(client, FATES[n % 2])) for n in range(8)]
            await asyncio.sleep(PAUSE_S)
        finally:
            signal_tree(postmaster, signal.SIGCONT)
        late = await asyncio.gather(*new)
        assert (await caller.call(client, Fate.ANSWERED)).is_good

    assert all(one.is_good for one in told)
    assert all(one.is_good or (one.status == 503 and one.retry_after) for one in late), late
    await at_rest(database, caller)
    await nothing_is_lost(database, caller, providers)
    await all_places_are_free(server, caller, providers)


async def test_a_database_that_cuts_every_connection_loses_nothing(
    server: StoaServer, providers: Providers
) -> None:
    caller, database = await a_caller(server), database_of(server)
    before = len(providers.near.requests)
    async with caller.client(server) as client, asking(database) as connection:

        async def keep_calling() -> None:
            for n in range(CUTS * 4):
                await caller.call(client, FATES[n % 2])

        load = asyncio.gather(*(keep_calling() for _ in range(4)))
        for cut in range(CUTS):
            await until(partial(_has_heard, caller, cut * 8))
            await connection.execute(CUT)
        await load
        assert (await caller.call(client, Fate.ANSWERED)).is_good

    assert len(providers.near.requests) > before
    assert all(one.is_good or (one.status == 503 and one.retry_after) for one in caller.told)
    await at_rest(database, caller)
    await nothing_is_lost(database, caller, providers)
    await all_places_are_free(server, caller, providers)


def _has_heard(caller: Caller, times: int) -> bool:
    return len(caller.told) >= times
