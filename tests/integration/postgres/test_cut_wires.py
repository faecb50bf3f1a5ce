"""A connection may be cut anywhere in a batch, or be given up by one side before the other knows.
Whatever was on its way is then done once."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from adapters.postgres.engine import make_engine
from adapters.system.clock import SystemClock
from domain.identity.allowance import BudgetPeriod, BudgetTerms
from tests.builders import TEAM_ID
from tests.fakes.clock import FrozenClock
from tests.fakes.wire import Switchboard, Wire, a_wire_to_postgres
from tests.fixtures.budget_stores import PostgresBudgetProcess, PostgresBudgetStore
from tests.fixtures.budget_world import CENT, BudgetWorld, RunningCall
from tests.fixtures.ledger_load import statuses
from tests.fixtures.patience import PATIENCE_S, until

NOTHING = Decimal(0)
LANES = (b"stoa budgets\0", b"stoa ledger rows\0", b"stoa ledger outcomes\0")
BUDGETS = LANES[0]
_FAREWELL = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0"
FAREWELL = b"E" + (len(_FAREWELL) + 4).to_bytes(4, "big") + _FAREWELL


@dataclass
class Lanes:
    """Those of one process, on wires that a test has at hand."""

    url: str
    board: Switchboard
    world: BudgetWorld
    sql: asyncpg.Connection

    def wires(self) -> list[Wire]:
        """The last one of each lane."""
        return [self.board.of(name)[-1] for name in LANES]

    async def open(self) -> RunningCall:
        running = await self.world.open(0, 0, 10)
        assert running is not None
        return running

    async def make_calls(self) -> None:
        """One that costs something, and one that does not."""
        for cents in (4, None):
            await self.world.settle(await self.open(), cents)
        await self.rest()

    async def rest(self) -> None:
        [process] = self.world.processes
        assert await process.ledger.flush(PATIENCE_S) == 0
        await process.idle()

    async def account(self) -> tuple[Decimal, Decimal]:
        found = await self.world.store.reader.find(
            TEAM_ID, self.world.subjects[0], self.world.clock.now()
        )
        assert found is not None
        return found.settled, found.held


@pytest.fixture
async def lanes(team_url: str, sql: asyncpg.Connection) -> AsyncIterator[Lanes]:
    engine, clock = make_engine(team_url, pool_size=2), SystemClock()
    async with a_wire_to_postgres(team_url) as (url, board):
        process = PostgresBudgetProcess(url, engine, clock, timeout_s=PATIENCE_S)
        await process.start()
        world = BudgetWorld(
            store=PostgresBudgetStore(team_url, engine, clock),
            clock=FrozenClock(datetime.now(UTC)),
            team_id=TEAM_ID,
            processes=[process],
        )
        terms = BudgetTerms(amount=1000 * CENT, period=BudgetPeriod.TOTAL)
        await world.set(world.subjects[0], terms)
        lanes = Lanes(url, board, world, sql)
        await lanes.make_calls()
        yield lanes
        await process.die()
    await engine.dispose()


@pytest.mark.parametrize("after", [0, 1, 5, 60])
@pytest.mark.parametrize("lead", ["to_server", "to_client"])
async def test_what_was_on_a_wire_that_was_cut_is_done_once(
    lanes: Lanes, lead: str, after: int
) -> None:
    """Answers are short: after sixty bytes it is the one to a later batch that is cut."""
    cut = lanes.wires()
    for wire in cut:
        getattr(wire, lead).left = after

    with capture_logs() as logs:
        await lanes.make_calls()
        await lanes.make_calls()

    assert await statuses(lanes.sql) == {"succeeded": 3, "failed": 3}
    assert await lanes.account() == (12 * CENT, NOTHING)
    assert all(wire.is_over.is_set() for wire in cut[1:])
    _nothing_is_unforeseen(logs)


async def test_a_server_that_says_farewell_before_it_hangs_up_loses_nothing(lanes: Lanes) -> None:
    left = lanes.wires()
    for wire in left:
        wire.to_client.carry(FAREWELL)
    # The client has read them when it has read what a later wire says.
    await (await asyncpg.connect(lanes.url)).close()

    with capture_logs() as logs:
        await lanes.make_calls()

    assert await statuses(lanes.sql) == {"succeeded": 2, "failed": 2}
    assert await lanes.account() == (8 * CENT, NOTHING)
    await until(lambda: all(wire.is_over.is_set() for wire in left))
    assert {entry["lane"] for entry in logs} == {"budgets", "rows", "outcomes"}
    assert {entry.get("error") for entry in logs} == {None, "the server has ended the connection"}


async def test_what_comes_late_over_a_lost_wire_takes_nothing(lanes: Lanes) -> None:
    [lost] = lanes.board.of(BUDGETS)
    lost.to_server.is_held_up = True
    opening = asyncio.create_task(lanes.open())
    await until(lambda: bool(lost.to_server.waiting))
    lost.hang_up_on_client()
    await lanes.world.settle(await opening, None)
    await lanes.rest()

    lost.let_through()
    await lost.is_over.wait()

    assert await lanes.account() == (4 * CENT, NOTHING)


def _nothing_is_unforeseen(logs: list[MutableMapping[str, Any]]) -> None:
    assert {entry["event"] for entry in logs} <= {"lane.database_lost", "lane.database_back"}
    assert not [entry for entry in logs if "Internal" in str(entry.get("error"))]
