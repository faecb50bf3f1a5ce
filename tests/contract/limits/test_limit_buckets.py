"""What every store of limits has to keep of requests and tokens."""

import pytest

from application.inference.allowance_ports import RateLimits
from domain.identity.allowance import Limits
from domain.inference.rate import Demand, Measure, Purpose
from tests.builders import OTHER_TEAM_ID
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
)
from tests.fixtures.limit_stores import LimitStore

# What passes on a busy machine between two looks. Within it, less than one grows back of the limits
# here whose numbers are looked at.
SLACK_S = 10.0


async def test_requests_are_counted_down(limits: RateLimits) -> None:
    first = await limits.take(of_key(rpm=3))
    second = await limits.take(of_key(rpm=3))

    assert first.tokens is None
    assert first.requests is not None
    assert second.requests is not None
    assert (first.requests.limit, first.requests.remaining) == (3, 2)
    assert first.requests.reset_s == pytest.approx(20, abs=1)
    assert (second.requests.limit, second.requests.remaining) == (3, 1)
    assert second.requests.reset_s == pytest.approx(40, abs=SLACK_S)


async def test_one_more_than_the_limit_is_refused_and_told_when_to_come_again(
    limits: RateLimits,
) -> None:
    for _ in range(3):
        await limits.take(of_key(rpm=3))

    error = await refused(limits.take(of_key(rpm=3)))

    assert error.measure is Measure.REQUESTS
    assert error.retry_after == pytest.approx(20, abs=SLACK_S)
    assert "requests per min (RPM): Limit 3, Used 3, Requested 1" in error.message
    assert error.standings is not None
    assert error.standings.requests is not None
    assert error.standings.requests.remaining == 0


async def test_a_refusal_takes_nothing(limits: RateLimits) -> None:
    await limits.take(of_key(rpm=5, tpm=6, tokens=5))

    await refused(limits.take(of_key(rpm=5, tpm=6, tokens=2)))

    assert await remaining(limits, of_key(rpm=5, tpm=6)) == (4, 1)


async def test_what_was_taken_grows_back(store: LimitStore) -> None:
    limits = (await store.process()).limits
    for _ in range(6):
        await limits.take(of_key(rpm=6))

    await store.step(30.5)

    assert await remaining(limits, of_key(rpm=6)) == (3, None)


async def test_no_more_grows_back_than_the_limit(store: LimitStore) -> None:
    limits = (await store.process()).limits
    await limits.take(of_key(rpm=60))

    await store.step(7200)

    assert await remaining(limits, of_key(rpm=60)) == (60, None)


async def test_a_clock_that_goes_back_neither_gives_nor_stops(store: LimitStore) -> None:
    limits = (await store.process()).limits
    for _ in range(6):
        await limits.take(of_key(rpm=6))

    await store.step(-3600)
    await refused(limits.take(of_key(rpm=6)))
    await store.step(20.5)

    assert await remaining(limits, of_key(rpm=6)) == (2, None)


async def test_tokens_are_reserved_and_corrected_downwards(limits: RateLimits) -> None:
    demand = of_key(tpm=5, tokens=3)
    await limits.take(demand)
    await refused(limits.take(of_key(tpm=5, tokens=3)))

    limits.settle(demand, 1)

    await eventually(limits, of_key(tpm=5), (None, 4))
    await limits.take(of_key(tpm=5, tokens=3))


async def test_tokens_are_corrected_upwards_too(limits: RateLimits) -> None:
    demand = of_key(tpm=1000, tokens=100)
    await limits.take(demand)

    limits.settle(demand, 1500)

    await eventually(limits, of_key(tpm=1000), (None, 0))
    error = await refused(limits.take(of_key(tpm=1000, tokens=1)))
    assert error.measure is Measure.TOKENS
    assert error.retry_after == pytest.approx(30, abs=SLACK_S)


async def test_a_call_of_unknown_usage_keeps_what_it_reserved(limits: RateLimits) -> None:
    demand = of_key(tpm=1000, concurrency=1, tokens=600)
    await limits.take(demand)

    limits.settle(demand, None)

    await until_admitted(limits, lambda: of_key(tpm=1000, concurrency=1, tokens=0))
    assert (await remaining(limits, of_key(tpm=1000)))[1] == pytest.approx(
        400, abs=1000 / 60 * SLACK_S
    )


async def test_a_correction_gives_no_more_than_the_limit(store: LimitStore) -> None:
    limits = (await store.process()).limits
    demand = of_key(tpm=5, tokens=3)
    await limits.take(demand)
    await store.step(60)

    limits.settle(demand, 0)
    await limits.take(of_key(tpm=5, tokens=2))

    await eventually(limits, of_key(tpm=5), (None, 3))


async def test_an_estimate_beyond_the_limit_waits_for_a_full_bucket(limits: RateLimits) -> None:
    await limits.take(of_key(tpm=100, tokens=5000))

    error = await refused(limits.take(of_key(tpm=100, tokens=5000)))

    assert error.retry_after == pytest.approx(60, abs=SLACK_S)


async def test_a_release_undoes_everything(limits: RateLimits) -> None:
    demand = of_key(rpm=2, tpm=1000, concurrency=1, tokens=600)
    await limits.take(demand)

    limits.release(demand)

    await eventually(limits, of_key(rpm=2, tpm=1000), (2, 1000))
    await limits.take(of_key(rpm=2, tpm=1000, concurrency=1))


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

    assert error.retry_after == pytest.approx(60, abs=SLACK_S)
    assert "this team" in error.message


async def test_teams_and_purposes_have_buckets_of_their_own(limits: RateLimits) -> None:
    await limits.take(of_key(rpm=1))

    await limits.take(a_demand((KEY, Limits(rpm=1)), team_id=OTHER_TEAM_ID))
    await limits.take(a_demand((KEY, Limits(rpm=1)), purpose=Purpose.API))
    await limits.take(a_demand((USER, Limits(rpm=1))))

    await refused(limits.take(of_key(rpm=1)))


async def test_a_limit_that_is_raised_has_its_room_at_once(limits: RateLimits) -> None:
    await limits.take(of_key(rpm=1))
    await refused(limits.take(of_key(rpm=1)))

    standings = await limits.take(of_key(rpm=10))

    assert standings.requests is not None
    assert standings.requests.remaining == 8
