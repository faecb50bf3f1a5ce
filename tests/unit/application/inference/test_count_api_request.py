import pytest

from application.inference.count_api_request import CountApiRequest
from application.inference.show_limits import ShowLimits
from domain.identity.allowance import Allowance, Limits, Subject, SubjectKind
from domain.inference.errors import RateLimitedError
from domain.inference.rate import Purpose, Standings
from domain.operations.runtime_settings import API_REQUESTS_PER_MINUTE
from domain.shared.errors import UnavailableError
from tests.builders import KEY_ID, USER_ID, an_actor
from tests.fakes.rate_limits import InMemoryRateLimits
from tests.fakes.runtime_settings import InMemoryRuntimeSettings


def counting(
    per_minute: int, limits: InMemoryRateLimits | None = None
) -> tuple[CountApiRequest, InMemoryRateLimits]:
    settings = InMemoryRuntimeSettings()
    settings.set(API_REQUESTS_PER_MINUTE, per_minute)
    limits = limits or InMemoryRateLimits()
    return CountApiRequest(limits=limits, settings=settings), limits


async def test_a_principal_may_ask_as_often_as_the_setting_says() -> None:
    count, _ = counting(2)

    first = await count(an_actor())
    await count(an_actor())

    assert first is not None
    assert (first.limit, first.remaining) == (2, 1)
    with pytest.raises(RateLimitedError):
        await count(an_actor())


async def test_keys_and_people_are_counted_by_themselves() -> None:
    count, limits = counting(1)

    await count(an_actor())
    await count(an_actor(key_id=None))

    subjects = [demand.limited[0].subject for demand in limits.taken]
    assert subjects == [Subject(SubjectKind.KEY, KEY_ID), Subject(SubjectKind.USER, USER_ID)]
    assert {demand.purpose for demand in limits.taken} == {Purpose.API}


async def test_nothing_is_counted_without_a_limit_or_without_a_name() -> None:
    unlimited, limits = counting(0)
    limited, _ = counting(1, limits)

    assert await unlimited(an_actor()) is None
    assert await limited(an_actor(key_id=None, user_id=None)) is None

    assert limits.taken == []


async def test_everybody_passes_while_the_counters_are_away() -> None:
    count, limits = counting(1)
    limits.asked.fail(UnavailableError("Away."))

    assert await count(an_actor()) is None


async def test_nobody_waits_for_long_until_he_is_counted() -> None:
    limits = InMemoryRateLimits()
    limits.asked.shut()
    count = CountApiRequest(limits=limits, settings=InMemoryRuntimeSettings())

    assert await count(an_actor()) is None


async def test_callers_see_their_limits_and_take_nothing() -> None:
    limits = InMemoryRateLimits()
    allowance = Allowance(subject=Subject(SubjectKind.KEY, KEY_ID), limits=Limits(rpm=5))

    shown = await ShowLimits(limits=limits)(an_actor(allowances=(allowance,)))

    assert [one.limits for one in shown.limited] == [Limits(rpm=5)]
    assert shown.standings.requests is not None
    assert shown.standings.requests.remaining == 5
    assert limits.taken == []


async def test_callers_without_limits_ask_nobody() -> None:
    limits = InMemoryRateLimits()
    limits.asked.fail(UnavailableError("Away."))

    shown = await ShowLimits(limits=limits)(an_actor())

    assert (shown.limited, shown.standings) == ((), Standings())
