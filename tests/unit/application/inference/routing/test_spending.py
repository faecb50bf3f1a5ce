"""What attempts have used that did not answer the call."""

import asyncio
from decimal import Decimal

import pytest

from domain.inference.call import CallStatus
from domain.inference.errors import (
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderTimedOutError,
)
from domain.models.route import RouteTimeouts
from domain.models.served_model import DeploymentLimits
from domain.shared.errors import StoaError
from domain.shared.usage import Usage
from tests.fakes.gate import Gate, held_at
from tests.fakes.providers import USAGE, ScriptedProviderStream
from tests.unit.application.inference.routing.route_scene import RouteScene, a_route, a_target
from tests.unit.application.inference.scene import cancelled

MILLION = 1_000_000
A, B = a_target("a", dollars=1), a_target("b", dollars=2)
ROUTE = a_route("a", "b")
BROKEN = ProviderFailedError("It broke.", may_pass=True)
REPORTED = Usage(prompt_tokens=100, completion_tokens=7)
ESTIMATED = Usage(prompt_tokens=100, counted=True)
OF_B = Decimal(30) / MILLION


def stuck() -> Gate:
    gate = Gate()
    gate.shut()
    return gate


def costs(scene: RouteScene) -> list[tuple[str, Decimal | None]]:
    return [(one.deployment.removesuffix("/x"), one.cost) for one in scene.row.attempts]


async def test_what_a_provider_reported_before_it_failed_is_paid() -> None:
    scene = RouteScene(A, B, ROUTE)
    scene.feel(a=ScriptedProviderStream(BROKEN, reported=REPORTED))

    await scene.relay()

    assert scene.row.usage == USAGE
    assert costs(scene) == [("a", Decimal(107) / MILLION), ("b", OF_B)]
    assert [one.usage for one in scene.row.attempts] == [REPORTED, USAGE]
    assert scene.row.cost == Decimal(107) / MILLION + OF_B


async def test_what_was_answered_and_could_not_be_told_is_paid() -> None:
    scene = RouteScene(A, B, ROUTE)
    unreadable = ProviderFailedError("What it made cannot be read.")
    unreadable.spent = REPORTED
    scene.feel(a=unreadable)

    assert await scene.ask() == "b"
    assert costs(scene) == [("a", Decimal(107) / MILLION), ("b", OF_B)]
    assert scene.row.cost == Decimal(107) / MILLION + OF_B


@pytest.mark.parametrize("error", [BROKEN, ProviderRateLimitedError("not now")])
async def test_who_fails_before_the_first_word_or_refuses_gets_nothing(error: StoaError) -> None:
    scene = RouteScene(A, B, ROUTE)
    scene.feel(a=ScriptedProviderStream(error, reported=ESTIMATED))

    await scene.relay()

    assert costs(scene) == [("a", None), ("b", OF_B)]
    assert scene.row.cost == OF_B


@pytest.mark.parametrize(("is_asked", "tokens"), [(True, 16), (False, None)])
async def test_who_had_the_question_and_did_not_answer_in_time_is_paid_for_it(
    is_asked: bool, tokens: int | None
) -> None:
    scene = RouteScene(A, B, ROUTE)
    scene.feel(a=ProviderTimedOutError("late", is_asked=is_asked))

    assert await scene.ask() == "b"

    spent = None if tokens is None else Decimal(tokens) / MILLION
    assert costs(scene) == [("a", spent), ("b", OF_B)]
    assert scene.row.cost == OF_B + (spent or 0)


async def test_a_call_that_nobody_answers_in_time_costs_its_question() -> None:
    scene = RouteScene(A)
    scene.feel(a=ProviderTimedOutError("late", is_asked=True))

    with pytest.raises(ProviderTimedOutError):
        await scene.ask("a")

    row = scene.row
    assert row.usage == Usage(prompt_tokens=16, counted=True)
    assert (row.status, row.error_code) == (CallStatus.FAILED, "PROVIDER_TIMEOUT")
    assert row.cost == Decimal(16) / MILLION


async def test_who_was_at_it_when_the_time_was_over_is_paid_for_the_prompt() -> None:
    scene = RouteScene(A, B, a_route("a", "b", timeouts=RouteTimeouts(first_token=0.02)))
    scene.feel(a=ScriptedProviderStream(stuck(), reported=ESTIMATED))

    await scene.relay()

    assert costs(scene) == [("a", Decimal(100) / MILLION), ("b", OF_B)]
    assert scene.row.cost == Decimal(100) / MILLION + OF_B


async def test_a_call_that_nobody_answers_costs_what_all_have_used() -> None:
    scene = RouteScene(A, B, a_route("a", "b"))
    late = ProviderTimedOutError("late")
    scene.feel(a=ScriptedProviderStream(late, reported=REPORTED))
    scene.feel(b=ScriptedProviderStream(late, reported=ESTIMATED))

    with pytest.raises(ProviderTimedOutError):
        await scene.stream()

    row = scene.row
    assert (row.routed_to, row.deployment, row.usage) == ("b", "b/x", ESTIMATED)
    assert row.cost == Decimal(107 + 200) / MILLION


async def test_a_client_that_goes_away_pays_whom_it_was_waiting_for_at_its_price() -> None:
    scene = RouteScene(A, B, ROUTE)
    waiting = Gate()
    scene.feel(a=BROKEN, b=ScriptedProviderStream(waiting, reported=ESTIMATED))

    await cancelled(await held_at(waiting, scene.stream()))

    row = scene.row
    assert row.status is CallStatus.CANCELLED
    assert (row.routed_to, row.deployment, row.price) == ("b", "b/x", B.prices)
    assert row.cost == Decimal(200) / MILLION
    assert row.provider_request_id == "req-1"


async def test_an_attempt_without_a_price_is_on_record_with_what_it_used() -> None:
    scene = RouteScene(a_target("free", prices=None), B, a_route("free", "b"))
    scene.feel(free=ScriptedProviderStream(BROKEN, reported=REPORTED))

    await scene.relay()

    assert scene.row.attempts[0].usage == REPORTED
    assert costs(scene) == [("free", None), ("b", OF_B)]
    assert scene.row.cost == OF_B


async def test_of_two_streams_that_begin_at_once_both_are_paid() -> None:
    scene = RouteScene(A, B, a_route("a", "b", hedge_after_ms=1))
    slow = stuck()
    scene.feel(a=ScriptedProviderStream(slow, b"a"), b=ScriptedProviderStream(slow, b"b"))

    task = asyncio.create_task(scene.relay())
    while "b" not in scene.asked():
        await asyncio.sleep(0.001)
    slow.open()
    await task

    assert sorted(scene.tried) == [("a", "succeeded"), ("b", "cancelled")]
    # One block is counted as one token.
    assert scene.row.cost == Decimal(15 + 2) / MILLION


async def test_of_two_answers_that_come_at_once_both_are_paid() -> None:
    limited = a_target("b", dollars=2, limits=DeploymentLimits(tpm=10_000))
    scene = RouteScene(A, limited, a_route("a", "b", hedge_after_ms=1))
    slow = stuck()
    scene.feel(a=slow, b=slow)

    task = asyncio.create_task(scene.ask())
    while "b" not in scene.asked():
        await asyncio.sleep(0.001)
    slow.open()

    assert await task == "a"
    assert scene.row.usage == USAGE
    assert scene.row.cost == Decimal(15 + 30) / MILLION
    assert [used for _, used in scene.plane.limits.settled] == [15]


async def test_the_limit_of_a_deployment_keeps_what_may_have_been_used() -> None:
    limited = a_target("a", limits=DeploymentLimits(tpm=10_000))
    scene = RouteScene(limited, B, a_route("a", "b", hedge_after_ms=1))
    scene.feel(a=stuck())

    assert await scene.ask() == "b"
    assert [used for _, used in scene.plane.limits.settled] == [None]
    # It had read the question, which is 16 tokens by its length.
    assert scene.row.cost == OF_B + Decimal(16) / MILLION
