from decimal import Decimal
from typing import Any

import pytest

from application.inference.ports import Operation
from application.inference.rate_limit_check import ASSUMED_OUTPUT_TOKENS, RateLimitCheck
from application.shared.actor import Actor
from domain.identity.allowance import (
    Allowance,
    BudgetPeriod,
    BudgetTerms,
    Limits,
    Subject,
    SubjectKind,
)
from domain.inference.call import CallStatus
from domain.inference.errors import ProviderFailedError, RateLimitedError
from domain.inference.rate import Measure, Purpose, Standings
from domain.shared.errors import LimitExceededError, UnavailableError
from tests.builders import KEY_ID, TEAM_ID, an_actor
from tests.fakes.allowances import RecordingCheck
from tests.fakes.gate import held_at
from tests.fakes.providers import DONE, USAGE
from tests.fakes.rate_limits import InMemoryRateLimits
from tests.unit.application.inference.scene import Scene, cancelled

KEY = Subject(SubjectKind.KEY, KEY_ID)
USED = USAGE.prompt_tokens + USAGE.completion_tokens


def limited(**limits: int) -> Actor:
    return an_actor(allowances=(Allowance(subject=KEY, limits=Limits(**limits)),))


def a_scene() -> tuple[Scene, InMemoryRateLimits]:
    limits = InMemoryRateLimits()
    return Scene(RateLimitCheck(limits=limits)), limits


@pytest.mark.parametrize(
    "allowance",
    [
        Allowance(subject=KEY),
        Allowance(subject=KEY, limits=Limits()),
        Allowance(subject=KEY, budget=BudgetTerms(amount=Decimal(1), period=BudgetPeriod.DAY)),
    ],
    ids=["nothing set", "limits of nothing", "a budget"],
)
async def test_who_has_no_limits_is_not_counted(allowance: Allowance) -> None:
    scene, limits = a_scene()
    limits.asked.fail(UnavailableError("Nobody shall ask."))

    await scene.invoke(actor=an_actor(allowances=(allowance,)))

    assert limits.taken == []


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({"max_output_tokens": 50}, 60),
        ({"max_output_tokens": 50, "choices": 2}, 110),
        ({}, 10 + ASSUMED_OUTPUT_TOKENS),
        ({"operation": Operation.EMBEDDING, "model": "vectors"}, 10),
    ],
    ids=["a limit of the answer", "several answers", "no limit of the answer", "no answer"],
)
async def test_tokens_are_reserved_by_estimate(fields: dict[str, Any], tokens: int) -> None:
    scene, limits = a_scene()

    await scene.invoke(actor=limited(tpm=1000), body=b"x" * 40, **fields)

    [demand] = limits.taken
    assert (demand.tokens, demand.purpose, demand.team_id) == (tokens, Purpose.CALLS, TEAM_ID)
    assert demand.id == scene.row.id


async def test_an_answer_counts_what_it_used() -> None:
    scene, limits = a_scene()

    await scene.invoke(actor=limited(tpm=1000))

    assert limits.settled == [(limits.taken[0], USED)]


async def test_a_call_that_failed_before_it_used_anything_gives_its_tokens_back() -> None:
    scene, limits = a_scene()
    scene.provider.working.fail(ProviderFailedError("No."))

    with pytest.raises(ProviderFailedError):
        await scene.invoke(actor=limited(tpm=1000))

    assert limits.settled == [(limits.taken[0], 0)]


async def test_a_call_that_was_cut_off_uncounted_keeps_what_it_reserved() -> None:
    scene, limits = a_scene()

    await cancelled(await held_at(scene.provider.working, scene.invoke(actor=limited(tpm=1000))))

    assert limits.settled == [(limits.taken[0], None)]


async def test_a_stream_that_is_left_counts_what_came() -> None:
    scene, limits = a_scene()
    stream = await scene.streamed(b"data: {}\n\n", DONE, actor=limited(tpm=1000))
    await anext(aiter(stream))

    await stream.aclose()

    assert limits.settled == [(limits.taken[0], 1)]


async def test_a_reached_limit_refuses_with_a_row_and_says_what_remains() -> None:
    scene, _ = a_scene()
    told: list[Standings] = []
    actor = limited(rpm=1)
    await scene.invoke(actor=actor)
    scene.ledger.rows.calls.clear()

    with pytest.raises(RateLimitedError):
        await scene.invoke(actor=actor, tell_standings=told.append)

    assert (scene.row.status, scene.row.error_code) == (CallStatus.REFUSED, "RATE_LIMITED")
    assert told[0].requests is not None
    assert told[0].requests.remaining == 0
    assert len(scene.provider.requests) == 1


async def test_what_remains_is_told_before_the_provider_is_asked() -> None:
    scene, _ = a_scene()
    told: list[Standings] = []

    task = await held_at(
        scene.provider.working, scene.invoke(actor=limited(rpm=5), tell_standings=told.append)
    )

    assert told[0].requests is not None
    assert told[0].requests.remaining == 4
    scene.provider.working.open()
    await task


async def test_an_answer_that_no_minute_has_room_for_is_refused_for_good() -> None:
    scene, limits = a_scene()

    with pytest.raises(RateLimitedError) as refused:
        await scene.invoke(actor=limited(tpm=100), max_output_tokens=101)

    assert (refused.value.measure, refused.value.retry_after) == (Measure.TOKENS, None)
    assert "Limit 100, Requested 101" in refused.value.message
    assert limits.taken == []


async def test_a_prompt_whose_guess_is_too_long_is_admitted_all_the_same() -> None:
    scene, _ = a_scene()

    await scene.invoke(actor=limited(tpm=100), body=b"x" * 4000)

    assert scene.row.status is CallStatus.SUCCEEDED


async def test_counters_that_are_away_make_a_refused_row() -> None:
    scene, limits = a_scene()
    limits.asked.fail(UnavailableError("Away."))

    with pytest.raises(UnavailableError):
        await scene.invoke(actor=limited(rpm=5))

    assert (scene.row.status, scene.row.error_code) == (CallStatus.REFUSED, "SERVICE_UNAVAILABLE")
    assert scene.provider.requests == []


async def test_a_call_that_another_check_refuses_takes_nothing() -> None:
    limits, other = InMemoryRateLimits(), RecordingCheck()
    other.asked.fail(LimitExceededError("No money left."))
    scene = Scene(RateLimitCheck(limits=limits), other)

    with pytest.raises(LimitExceededError):
        await scene.invoke(actor=limited(rpm=5))

    assert limits.released == limits.taken
    assert limits.settled == []
