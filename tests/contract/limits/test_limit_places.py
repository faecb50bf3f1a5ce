"""What every store of limits has to keep of calls at the same time, and of several processes."""

import asyncio

from application.inference.allowance_ports import RateLimits
from domain.identity.allowance import Limits
from domain.inference.errors import RateLimitedError
from domain.inference.rate import Demand, Measure
from tests.fixtures.demands import (
    KEY,
    TEAM,
    USER,
    a_demand,
    eventually,
    of_key,
    refused,
    remaining,
    until_admitted,
    until_refused,
)
from tests.fixtures.limit_stores import LimitStore
from tests.fixtures.patience import PATIENCE_S

SHORT_LEASE_S = 0.9


async def test_places_are_taken_and_freed(limits: RateLimits) -> None:
    demands = [of_key(concurrency=2) for _ in range(2)]
    for demand in demands:
        await limits.take(demand)
    error = await refused(limits.take(of_key(concurrency=2)))

    limits.settle(demands[0], 0)

    assert error.measure is Measure.CONCURRENCY
    assert error.retry_after == 1.0
    assert "Limit 2, Running 2" in error.message
    await until_admitted(limits, lambda: of_key(concurrency=2))
    await refused(limits.take(of_key(concurrency=2)))


async def test_places_of_a_dead_process_are_free(store: LimitStore) -> None:
    living, dying = await store.process(), await store.process()
    for _ in range(2):
        await dying.limits.take(of_key(concurrency=3))
    ours = of_key(concurrency=3)
    await living.limits.take(ours)
    await refused(living.limits.take(of_key(concurrency=3)))

    await dying.die()

    await until_admitted(living.limits, lambda: of_key(concurrency=3))
    await until_admitted(living.limits, lambda: of_key(concurrency=3))
    await refused(living.limits.take(of_key(concurrency=3)))


async def test_places_of_a_living_process_stay_taken(store: LimitStore) -> None:
    one, other = await store.process(lease_s=SHORT_LEASE_S), await store.process()
    await one.limits.take(of_key(concurrency=1))
    await asyncio.sleep(SHORT_LEASE_S * 1.3)

    error = await until_refused(other.limits, lambda: of_key(concurrency=1))

    assert error.measure is Measure.CONCURRENCY


async def test_two_processes_share_a_bucket_and_never_take_more_than_there_is(
    store: LimitStore,
) -> None:
    processes = [await store.process() for _ in range(2)]

    results = await asyncio.gather(
        *(
            processes[n % 2].limits.take(
                a_demand((TEAM, Limits(rpm=1000)), (KEY, Limits(rpm=30, concurrency=25)))
            )
            for n in range(120)
        ),
        return_exceptions=True,
    )

    admitted = [one for one in results if not isinstance(one, BaseException)]
    assert len(admitted) == 25
    assert all(isinstance(one, RateLimitedError) for one in results if one not in admitted)
    # A token comes back every two seconds.
    assert 5 <= _of(await remaining(processes[0].limits, a_demand((KEY, Limits(rpm=30))))) <= 10


async def test_two_processes_that_lock_in_opposite_orders_do_not_stand_still(
    store: LimitStore,
) -> None:
    processes = [await store.process() for _ in range(2)]
    subjects = [(KEY, Limits(rpm=1000)), (USER, Limits(rpm=1000)), (TEAM, Limits(rpm=1000))]

    async with asyncio.timeout(PATIENCE_S):
        for _ in range(20):
            await asyncio.gather(
                *(one.limits.take(a_demand(*subjects)) for one in processes for _ in range(5)),
                *(
                    one.limits.take(a_demand(*subjects[::-1]))
                    for one in processes[::-1]
                    for _ in range(5)
                ),
            )

    async with asyncio.timeout(20):
        # What the other process took without waiting is counted soon; what was taken grows back.
        while _of(await remaining(processes[0].limits, a_demand(subjects[0]))) > 1000 - 100:
            await asyncio.sleep(0.005)


async def test_a_caller_that_goes_away_while_it_asks_keeps_nothing(limits: RateLimits) -> None:
    await limits.look(of_key(rpm=10))
    task = asyncio.create_task(_take(limits, of_key(rpm=10, tpm=100, concurrency=1, tokens=50)))
    await asyncio.sleep(0)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    if task.cancelled():
        await eventually(limits, of_key(rpm=10, tpm=100), (10, 100))
        await until_admitted(limits, lambda: of_key(concurrency=1))


async def _take(limits: RateLimits, demand: Demand) -> None:
    await limits.take(demand)


async def test_calls_that_do_not_wait_are_counted_too(store: LimitStore) -> None:
    def demand() -> Demand:
        return of_key(rpm=1600, tpm=1_600_000, concurrency=1000, tokens=500)

    one, other = await store.process(), await store.process()
    demands = [demand() for _ in range(40)]
    for running in demands:
        await one.limits.take(running)
    for ended in demands[:30]:
        one.limits.settle(ended, 200)
    await one.limits.look(demand())

    error = await refused(other.limits.take(of_key(concurrency=10)))
    requests, tokens = await remaining(other.limits, of_key(rpm=1600, tpm=1_600_000))

    assert "Limit 10, Running 10" in error.message
    assert requests is not None
    assert tokens is not None
    assert requests >= 1600 - 40
    assert tokens >= 1_600_000 - 30 * 200 - 10 * 500


def _of(remains: tuple[int | None, int | None]) -> int:
    requests, _ = remains
    assert requests is not None
    return requests
