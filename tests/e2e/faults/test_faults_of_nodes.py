"""One of two nodes is killed while both are at it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.fixtures.database import PostgresUnderTest
from tests.fixtures.fault_ground import (
    SETTINGS,
    Fate,
    Providers,
    a_caller,
    all_places_are_free,
    at_rest,
    nothing_is_lost,
    statuses,
)
from tests.fixtures.patience import until
from tests.fixtures.server import StoaServer

FATES = [Fate.ANSWERED, Fate.FALLEN_BACK, Fate.HUNG, Fate.HUNG_FALLEN_BACK]
CALLS = 16


@pytest.fixture
async def database(
    postgres_under_test: PostgresUnderTest, migrated_template: str
) -> AsyncIterator[str]:
    name = f"{postgres_under_test.prefix}_faults_{uuid4().hex[:8]}"
    yield await postgres_under_test.create(name, template=migrated_template)
    await postgres_under_test.drop(name)


@pytest.fixture
def nodes(database: str, config: Path) -> Iterator[tuple[StoaServer, StoaServer]]:
    one, two = (
        StoaServer(
            data_dir=config.parent / name,
            config=config,
            settings=SETTINGS | {"STOA_DATABASE_URL": database},
        )
        for name in ("one", "two")
    )
    with one, two:
        two.key = one.key
        yield one, two


async def test_a_node_that_is_killed_leaves_nothing_to_the_other(
    nodes: tuple[StoaServer, StoaServer], database: str, providers: Providers
) -> None:
    one, two = nodes
    caller = await a_caller(one)
    providers.gate.clear()
    async with caller.client(one) as alive, caller.client(two) as doomed:
        living = [asyncio.create_task(caller.call(alive, Fate.GATED)) for _ in range(CALLS)]
        dying = [asyncio.create_task(caller.call(doomed, FATES[n % 4])) for n in range(CALLS)]
        await until(lambda: providers.hanging(caller) == CALLS + CALLS / 2)
        await asyncio.to_thread(two.kill)
        await asyncio.gather(*dying)
        providers.gate.set()
        told = await asyncio.gather(*living)

    assert all(one.is_good for one in told)
    await at_rest(database, caller)
    found = await statuses(database, caller)
    assert found["succeeded"] >= CALLS
    assert found["interrupted"] >= CALLS / 2
    assert found.total() == 2 * CALLS
    await nothing_is_lost(database, caller, providers)
    await all_places_are_free(one, caller, providers)
