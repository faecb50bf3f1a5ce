"""What every store of limits has to keep."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from application.inference.allowance_ports import RateLimits
from domain.identity.allowance import Limits, Subject, SubjectKind
from domain.inference.errors import RateLimitedError
from domain.inference.rate import Demand, Limited, Measure, Purpose
from tests.builders import KEY_ID, OTHER_TEAM_ID, TEAM_ID, USER_ID
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fixtures.limit_stores import (
    LEASE_S,
    LimitStore,
    MemoryLimitStore,
    PostgresLimitStore,
    RedisLimitStore,
)
from tests.fixtures.redis_server import RedisServer, a_redis_server

KEY = Subject(SubjectKind.KEY, KEY_ID)
USER = Subject(SubjectKind.USER, USER_ID)
TEAM = Subject(SubjectKind.TEAM, TEAM_ID)

_numbers = iter(range(1, 1_000_000))


@pytest.fixture
def memory_limits() -> MemoryLimitStore:
    return MemoryLimitStore()


@pytest.fixture
async def postgres_limits(database_url: str) -> AsyncIterator[PostgresLimitStore]:
    store = PostgresLimitStore(database_url)
    yield store
    await store.stop()


@pytest.fixture(scope="module")
async def redis_server() -> AsyncIterator[RedisServer]:
    async with a_redis_server() as server:
        yield server


@pytest.fixture
async def redis_limits(redis_server: RedisServer) -> AsyncIterator[RedisLimitStore]:
    store = RedisLimitStore(redis_server.url)
    yield store
    await store.stop()


@pytest.fixture(params=["memory", "postgres", "redis"])
def store(request: pytest.FixtureRequest) -> LimitStore:
    store: LimitStore = request.getfixturevalue(f"{request.param}_limits")
    return store


@pytest.fixture
async def limits(store: LimitStore) -> RateLimits:
    return (await store.process()).limits


def a_demand(*limited: tuple[Subject, Limits], **fields: Any) -> Demand:
    defaults: dict[str, Any] = {
        "id": uuid7_at(START, next(_numbers)),
        "team_id": TEAM_ID,
        "purpose": Purpose.CALLS,
        "limited": tuple(Limited(subject=one, limits=limits) for one, limits in limited),
    }
    return Demand(**(defaults | fields))


def of_key(*, tokens: int = 0, **limits: int) -> Demand:
    return a_demand((KEY, Limits(**limits)), tokens=tokens)


async def refused(taking: Awaitable[object]) -> RateLimitedError:
    with pytest.raises(RateLimitedError) as caught:
        await taking
    return caught.value


async def remaining(limits: RateLimits, demand: Demand) -> tuple[int | None, int | None]:
    standings = await limits.look(demand)
    return tuple(  # type: ignore[return-value]
        None if one is None else one.remaining for one in (standings.requests, standings.tokens)
    )


async def eventually(
    limits: RateLimits, demand: Demand, wanted: tuple[int | None, int | None]
) -> None:
    """What is settled is counted soon."""
    for _ in range(200):
        if (now := await remaining(limits, demand)) == wanted:
            return
        await asyncio.sleep(0.01)
    assert now == wanted


async def test_requests_are_counted_down(limits: RateLimits) -> None:
    first = await limits.take(of_key(rpm=3))
    second = await limits.take(of_key(rpm=3))

    assert first.tokens is None
    assert first.requests is not None
    assert second.requests is not None
    assert (first.requests.limit, first.requests.remaining) == (3, 2)
    assert first.requests.reset_s == pytest.approx(20, abs=1)
    assert (second.requests.limit, second.requests.remaining) == (3, 1)
    assert second.requests.reset_s == pytest.approx(40, abs=1)


async def test_one_more_than_the_limit_is_refused_and_told_when_to_come_again(
    limits: RateLimits,
) -> None:
    for _ in range(3):
        await limits.take(of_key(rpm=3))

    error = await refused(limits.take(of_key(rpm=3)))

    assert error.measure is Measure.REQUESTS
    assert error.retry_after == pytest.approx(20, abs=1)
    assert "requests per min (RPM): Limit 3, Used 3, Requested 1" in error.message
    assert error.standings is not None
    assert error.standings.requests is not None
    assert error.standings.requests.remaining == 0


async def test_a_refusal_takes_nothing(limits: RateLimits) -> None:
    await limits.take(of_key(rpm=5, tpm=100, tokens=90))

    await refused(limits.take(of_key(rpm=5, tpm=100, tokens=20)))

    assert await remaining(limits, of_key(rpm=5, tpm=100)) == (4, 10)


async def test_what_was_taken_grows_back(store: LimitStore) -> None:
    limits = (await store.process()).limits
    for _ in range(60):
        await limits.take(of_key(rpm=60))

    await store.step(10.5)

    assert await remaining(limits, of_key(rpm=60)) == (10, None)


async def test_no_more_grows_back_than_the_limit(store: LimitStore) -> None:
    limits = (await store.process()).limits
    await limits.take(of_key(rpm=60))

    await store.step(7200)

    assert await remaining(limits, of_key(rpm=60)) == (60, None)


async def test_a_clock_that_goes_back_neither_gives_nor_stops(store: LimitStore) -> None:
    limits = (await store.process()).limits
    for _ in range(60):
        await limits.take(of_key(rpm=60))

    await store.step(-3600)
    await refused(limits.take(of_key(rpm=60)))
    await store.step(5.5)

    assert await remaining(limits, of_key(rpm=60)) == (5, None)


async def test_tokens_are_reserved_and_corrected_downwards(limits: RateLimits) -> None:
    demand = of_key(tpm=1000, tokens=600)
    await limits.take(demand)
    await refused(limits.take(of_key(tpm=1000, tokens=600)))

    limits.settle(demand, 100)

    await eventually(limits, of_key(tpm=1000), (None, 900))
    await limits.take(of_key(tpm=1000, tokens=600))


async def test_tokens_are_corrected_upwards_too(limits: RateLimits) -> None:
    demand = of_key(tpm=1000, tokens=100)
    await limits.take(demand)

    limits.settle(demand, 1500)

    await eventually(limits, of_key(tpm=1000), (None, 0))
    error = await refused(limits.take(of_key(tpm=1000, tokens=1)))
    assert error.measure is Measure.TOKENS
    assert error.retry_after == pytest.approx(30, abs=1.5)


async def test_a_call_of_unknown_usage_keeps_what_it_reserved(limits: RateLimits) -> None:
    demand = of_key(tpm=1000, concurrency=1, tokens=600)
    await limits.take(demand)

    limits.settle(demand, None)

    await until_admitted(limits, lambda: of_key(tpm=1000, concurrency=1, tokens=0))
    assert (await remaining(limits, of_key(tpm=1000)))[1] == pytest.approx(400, abs=10)


async def test_a_correction_gives_no_more_than_the_limit(store: LimitStore) -> None:
    limits = (await store.process()).limits
    demand = of_key(tpm=1000, tokens=600)
    await limits.take(demand)
    await store.step(60)

    limits.settle(demand, 0)
    await limits.take(of_key(tpm=1000, tokens=300))

    await eventually(limits, of_key(tpm=1000), (None, 700))


async def test_an_estimate_beyond_the_limit_waits_for_a_full_bucket(limits: RateLimits) -> None:
    await limits.take(of_key(tpm=100, tokens=5000))

    error = await refused(limits.take(of_key(tpm=100, tokens=5000)))

    assert error.retry_after == pytest.approx(60, abs=1)


async def test_a_release_undoes_everything(limits: RateLimits) -> None:
    demand = of_key(rpm=2, tpm=1000, concurrency=1, tokens=600)
    await limits.take(demand)

    limits.release(demand)

    await eventually(limits, of_key(rpm=2, tpm=1000), (2, 1000))
    await limits.take(of_key(rpm=2, tpm=1000, concurrency=1))


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
    one, other = await store.process(), await store.process()
    await one.limits.take(of_key(concurrency=1))
    await asyncio.sleep(LEASE_S * 1.3)

    error = await refused(other.limits.take(of_key(concurrency=1)))

    assert error.measure is Measure.CONCURRENCY


async def test_the_tightest_of_all_subjects_wins(limits: RateLimits) -> None:
    def demand() -> Demand:
        return a_demand(
            (TEAM, Limits(rpm=100, tpm=50)), (USER, Limits(rpm=2)), (KEY, Limits(rpm=10)), tokens=5
        )

    await limits.take(demand())
    standings = await limits.take(demand())
    error = await refused(limits.take(demand()))

    assert standings.requests is not None
    assert standings.tokens is not None
    assert (standings.requests.limit, standings.requests.remaining) == (2, 0)
    assert standings.tokens.limit == 50
    assert "this user" in error.message
    assert await remaining(limits, a_demand((KEY, Limits(rpm=10)))) == (8, None)


async def test_the_longest_wait_is_told(limits: RateLimits) -> None:
    demand = a_demand((TEAM, Limits(rpm=1)), (KEY, Limits(rpm=2, concurrency=1)))
    await limits.take(demand)
    limits.settle(demand, 0)

    error = await refused(
        limits.take(a_demand((TEAM, Limits(rpm=1)), (KEY, Limits(rpm=2, concurrency=1))))
    )

    assert error.retry_after == pytest.approx(60, abs=1)
    assert "this team" in error.message


async def test_teams_and_purposes_have_buckets_of_their_own(limits: RateLimits) -> None:
    await limits.take(of_key(rpm=1))

    await limits.take(a_demand((KEY, Limits(rpm=1)), team_id=OTHER_TEAM_ID))
    await limits.take(a_demand((KEY, Limits(rpm=1)), purpose=Purpose.API))
    await limits.take(a_demand((USER, Limits(rpm=1))))

    await refused(limits.take(of_key(rpm=1)))


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
    assert await remaining(processes[0].limits, a_demand((KEY, Limits(rpm=30)))) == (5, None)


async def test_two_processes_that_lock_in_opposite_orders_do_not_stand_still(
    store: LimitStore,
) -> None:
    processes = [await store.process() for _ in range(2)]
    subjects = [(KEY, Limits(rpm=10_000)), (USER, Limits(rpm=10_000)), (TEAM, Limits(rpm=10_000))]

    async with asyncio.timeout(20):
        for _ in range(20):
            await asyncio.gather(
                *(one.limits.take(a_demand(*subjects)) for one in processes for _ in range(5)),
                *(
                    one.limits.take(a_demand(*subjects[::-1]))
                    for one in processes[::-1]
                    for _ in range(5)
                ),
            )

    left = (await remaining(processes[0].limits, a_demand(subjects[0])))[0]
    assert left == pytest.approx(10_000 - 400, abs=150)


async def test_a_caller_that_goes_away_while_it_asks_keeps_nothing(limits: RateLimits) -> None:
    await limits.look(of_key(rpm=10))
    task = asyncio.create_task(_take(limits, of_key(rpm=10, tpm=100, concurrency=1, tokens=50)))
    await asyncio.sleep(0)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    if task.cancelled():
        await eventually(limits, of_key(rpm=10, tpm=100), (10, 100))
        await until_admitted(limits, lambda: of_key(concurrency=1))


async def test_a_limit_that_is_raised_has_its_room_at_once(limits: RateLimits) -> None:
    await limits.take(of_key(rpm=1))
    await refused(limits.take(of_key(rpm=1)))

    standings = await limits.take(of_key(rpm=10))

    assert standings.requests is not None
    assert standings.requests.remaining == 8


async def _take(limits: RateLimits, demand: Demand) -> None:
    await limits.take(demand)


async def until_admitted(limits: RateLimits, demand: Any) -> None:
    """Take again and again until it is admitted; what is given back is counted soon."""
    for _ in range(300):
        try:
            await limits.take(demand())
        except RateLimitedError:
            await asyncio.sleep(0.01)
        else:
            return
    raise AssertionError("It was never admitted.")
