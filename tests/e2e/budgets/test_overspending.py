"""A hard budget is never overspent: not by many at once, not on several nodes, not by dying."""

import asyncio
from collections import Counter
from decimal import Decimal

from tests.e2e.budgets.conftest import HOLD_S
from tests.fixtures.budget_nodes import a_budgeted_key, at_rest, call, caller, standing
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.server import StoaServer

CALLS = 200
# Which are said again, so that a call costs half of what is held for it.
SIXTY_WORDS = [{"role": "user", "content": " ".join(["a"] * 60)}]
Nodes = tuple[StoaServer, StoaServer]


async def test_many_calls_at_once_on_two_nodes_stay_within_the_budget(
    budget_nodes: Nodes, budgets_database: str
) -> None:
    amount = Decimal(12)
    key = await a_budgeted_key(budget_nodes[0], str(amount))
    one, two = (caller(node, key.secret) for node in budget_nodes)
    async with one, two:
        running = asyncio.gather(*(call((one, two)[n % 2]) for n in range(CALLS)))
        while not running.done():
            seen = await standing(budgets_database, key)
            assert seen.settled + seen.held <= amount
            await asyncio.sleep(0)
        answers = [answer.status_code for answer in await running if answer is not None]

    found = await at_rest(budgets_database, key)
    statuses = Counter(answers)
    assert set(statuses) == {200, 429}
    assert statuses.total() == CALLS
    assert found.settled == found.spent <= amount
    assert found.held == 0


async def test_calls_that_do_not_wait_for_their_holds_stay_within_the_budget(
    budget_nodes: Nodes, budgets_database: str
) -> None:
    amount = Decimal(330)
    key = await a_budgeted_key(budget_nodes[0], str(amount))
    one, two = (caller(node, key.secret) for node in budget_nodes)
    async with one, two:
        async with asyncio.timeout(PATIENCE_S):
            while not (await standing(budgets_database, key)).allotted:
                await asyncio.gather(*(call((one, two)[n % 2]) for n in range(40)))
        running = asyncio.gather(
            *(
                call((one, two)[n % 2], messages=SIXTY_WORDS, max_tokens=60)
                for n in range(CALLS * 2)
            )
        )
        while not running.done():
            seen = await standing(budgets_database, key)
            assert seen.running <= seen.held
            assert seen.settled + seen.held <= amount
            await asyncio.sleep(0)
        answers = [answer.status_code for answer in await running if answer is not None]

    found = await at_rest(budgets_database, key)
    assert set(answers) == {200, 429}
    assert found.settled == found.spent <= amount
    assert found.held == 0


async def test_a_node_that_is_killed_under_load_leaks_no_holds(
    budget_nodes: Nodes, budgets_database: str
) -> None:
    one, two = budget_nodes
    amount = Decimal(400)
    key = await a_budgeted_key(one, str(amount))
    async with caller(one, key.secret) as alive, caller(two, key.secret) as doomed:
        dying = [asyncio.create_task(call(doomed, model="hung")) for _ in range(40)]
        async with asyncio.timeout(PATIENCE_S):
            while (await standing(budgets_database, key)).open < len(dying):
                await asyncio.sleep(0.02)
        held = await standing(budgets_database, key)
        two.kill()
        assert await asyncio.gather(*dying) == [None] * len(dying)
        answers = await asyncio.gather(*(call(alive) for _ in range(40)))

    assert {answer.status_code for answer in answers if answer is not None} == {200}
    found = await at_rest(budgets_database, key)
    two.start()
    # Nobody knows what the calls of the dead node have cost; they are charged what was held.
    assert found.held == 0
    assert found.settled == found.spent
    assert held.running <= found.settled <= amount


async def test_a_call_that_takes_longer_than_its_hold_keeps_it(
    budget_nodes: Nodes, budgets_database: str
) -> None:
    one, _ = budget_nodes
    key = await a_budgeted_key(one, "20")
    async with caller(one, key.secret) as client:
        # Where the node stands still for that long, it is taken for dead.
        for _ in range(5):
            waiting = asyncio.create_task(call(client, model="hung"))
            await asyncio.sleep(HOLD_S * 1.5)
            found = await standing(budgets_database, key)
            waiting.cancel()
            if found.open and found.holds:
                break
            await at_rest(budgets_database, key)

    assert (found.holds, found.open) == (1, 1)
    assert found.held > 0
    assert (await at_rest(budgets_database, key)).held == 0
