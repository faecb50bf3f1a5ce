"""What happens when a deployment does not answer."""

from decimal import Decimal

import pytest

from application.inference.budget_check import BudgetCheck, BudgetReservation
from application.inference.call_allowances import AllowanceCheck, AllowanceRequest, Reservation
from application.inference.interception import Interceptor, Passage
from application.inference.model_command import InvokeModelCommand
from application.inference.routing.plan import Plan
from application.inference.routing.ports import DeploymentNews
from domain.identity.allowance import Allowance, BudgetPeriod, BudgetTerms, Subject, SubjectKind
from domain.inference.call import CallStatus
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderTimedOutError,
    ProviderUnreachableError,
    RateLimitedError,
)
from domain.models.route import Arm, RetryPolicy, RouteTimeouts, Split, SplitBy
from domain.models.served_model import DeploymentLimits
from domain.operations.routing_settings import BREAKER_FAILURES
from domain.shared.errors import UnavailableError
from tests.builders import TEAM_ID, an_actor
from tests.fakes.budgets import BudgetBooks, InMemoryBudgets
from tests.fakes.gate import Gate, held_at
from tests.fakes.inference import LedgerRows
from tests.fakes.providers import DONE, ScriptedProviderStream
from tests.unit.application.inference.routing.route_scene import RouteScene, a_route, a_target
from tests.unit.application.inference.scene import cancelled

A, B, C = a_target("a"), a_target("b", dollars=2), a_target("c", dollars=3)
BROKEN = ProviderFailedError("It broke.", may_pass=True)


async def test_a_failure_that_may_pass_is_tried_again_after_a_pause() -> None:
    scene = RouteScene(A)
    scene.feel(a=(BROKEN, ProviderUnreachableError("gone")))

    assert await scene.ask("a") == "a"
    assert scene.plane.pauses.made == [(0.1, 0.2), (0.2, 0.4)]
    assert scene.tried == [
        ("a", "PROVIDER_ERROR"),
        ("a", "PROVIDER_UNREACHABLE"),
        ("a", "succeeded"),
    ]
    assert (scene.row.routed_to, scene.row.reason) == ("a", "retry after PROVIDER_UNREACHABLE")
    assert scene.trace.attempts == 3


async def test_it_is_not_tried_for_ever() -> None:
    scene = RouteScene(A)
    scene.feel(a=(BROKEN,) * 9)

    with pytest.raises(ProviderFailedError):
        await scene.ask("a")

    assert scene.asked() == {"a": 3}
    assert (scene.row.status, scene.row.error_code) == (CallStatus.FAILED, "PROVIDER_ERROR")
    assert [outcome for _, outcome in scene.tried] == ["PROVIDER_ERROR"] * 3


async def test_the_mistake_of_a_client_is_its_own() -> None:
    scene = RouteScene(A, B, a_route("a", fallbacks=("b",)))
    scene.feel(a=ProviderRejectedError("No such parameter."))

    with pytest.raises(ProviderRejectedError):
        await scene.ask()

    assert scene.asked() == {"a": 1}
    assert scene.tried == [("a", "PROVIDER_REJECTED")]


async def test_a_single_failure_of_a_single_model_is_told_by_its_row() -> None:
    scene = RouteScene(A)
    scene.feel(a=ProviderRejectedError("No such parameter."))

    with pytest.raises(ProviderRejectedError):
        await scene.ask("a")

    assert scene.row.attempts == ()


async def test_another_target_comes_before_the_same_one_again() -> None:
    scene = RouteScene(A, B, a_route("a", "b"))
    scene.feel(a=BROKEN, b=BROKEN)

    assert await scene.ask() == "a"
    assert [name for name, _ in scene.tried] == ["a", "b", "a"]
    assert scene.plane.pauses.made == [(0.1, 0.2)]


async def test_fallbacks_take_over_when_no_target_can() -> None:
    deep = a_route("c", name="deep")
    scene = RouteScene(A, B, C, deep, a_route("a", fallbacks=("gone", "b", "deep")))
    scene.feel(a=BROKEN, b=ProviderTimedOutError("slow"))

    assert await scene.ask() == "c"
    assert scene.row.reason == "fallback after PROVIDER_TIMEOUT"
    assert (scene.row.routed_to, scene.row.provider, scene.row.price) == ("c", "c", C.prices)
    assert [name for name, _ in scene.tried] == ["a", "b", "c"]


async def test_another_choice_of_the_gateway_is_still_its_choice() -> None:
    scene = RouteScene(A, B)
    scene.feel(a=ProviderCredentialsError("x"))

    assert await scene.ask("auto") == "b"
    assert scene.row.reason == "auto: retry after PROVIDER_CREDENTIALS"


async def test_routes_that_fall_back_to_each_other_end() -> None:
    scene = RouteScene(
        A,
        B,
        C,
        a_route("a", fallbacks=("second",)),
        a_route("b", name="second", fallbacks=("route", "off", "c")),
        a_route("c", name="off", is_enabled=False),
    )
    scene.feel(a=ProviderCredentialsError("x"), b=ProviderCredentialsError("x"))

    assert await scene.ask() == "c"
    assert scene.asked() == {"a": 1, "b": 1, "c": 1}


async def test_a_route_whose_targets_all_cannot_begins_with_a_fallback() -> None:
    scene = RouteScene(a_target("off", is_enabled=False), B, a_route("off", fallbacks=("b",)))

    assert await scene.ask() == "b"
    assert scene.row.reason == "fallback: no target can"


async def test_what_is_too_long_goes_to_a_larger_context() -> None:
    small = a_target("small", context_length=10)
    large = a_target("large", context_length=9_000)
    scene = RouteScene(
        small,
        a_target("same", context_length=10),
        large,
        a_route("small", "same", fallbacks=("large",)),
    )
    scene.feel(small=ContextLengthExceededError("too long"))

    assert await scene.ask(attachments=1) == "large"
    assert scene.row.reason == "fallback after CONTEXT_LENGTH_EXCEEDED"
    assert scene.asked() == {"small": 1, "large": 1}


async def test_what_is_too_long_everywhere_is_told_so() -> None:
    small, large = a_target("small", context_length=10), a_target("large", context_length=20)
    scene = RouteScene(small, large, a_route("large", "small"))
    scene.feel(large=(BROKEN, ContextLengthExceededError("too long")))
    scene.feel(small=ProviderBusyError("full"))

    with pytest.raises(ContextLengthExceededError):
        await scene.ask(attachments=1)

    # The small one was worth another attempt until the large one said that it is too long.
    assert scene.asked() == {"large": 2, "small": 1}


async def test_a_wish_of_the_provider_for_patience_is_heard_if_it_is_short() -> None:
    scene = RouteScene(A)
    scene.feel(a=ProviderRateLimitedError("slow down", retry_after=1.5))

    assert await scene.ask("a") == "a"
    assert scene.plane.pauses.made == [(1.5, 1.875)]


async def test_a_provider_that_asks_for_no_patience_gets_the_usual() -> None:
    scene = RouteScene(A)
    scene.feel(a=ProviderRateLimitedError("slow down", retry_after=0))

    assert await scene.ask("a") == "a"
    assert scene.plane.pauses.made == [(0.1, 0.2)]


async def test_nobody_waits_for_what_would_come_too_late() -> None:
    scene = RouteScene(A, a_route("a", timeouts=RouteTimeouts(total=5)))
    scene.feel(a=(BROKEN, ProviderRateLimitedError("slow down", retry_after=4.9)))

    with pytest.raises(ProviderRateLimitedError):
        await scene.ask()

    assert scene.plane.pauses.made == [(0.1, 0.2)]
    assert scene.row.error_code == "PROVIDER_RATE_LIMITED"


async def test_a_long_wish_for_patience_is_passed_on() -> None:
    scene = RouteScene(A)
    scene.feel(a=ProviderRateLimitedError("slow down", retry_after=60))

    with pytest.raises(ProviderRateLimitedError):
        await scene.ask("a")

    assert scene.asked() == {"a": 1}


async def test_an_unforeseen_error_is_nobodys_to_repeat() -> None:
    scene = RouteScene(A, B, a_route("a", "b"))
    scene.feel(a=ValueError("a bug"))

    with pytest.raises(ValueError, match="a bug"):
        await scene.ask()

    assert scene.tried == [("a", "INTERNAL_ERROR")]


async def test_a_stream_falls_back_until_its_first_block() -> None:
    scene = RouteScene(A, B, C, a_route("a", "b", "c"))
    scene.feel(a=BROKEN, b=ScriptedProviderStream(BROKEN))

    assert await scene.relay() == [b"c", DONE]
    assert scene.tried == [("a", "PROVIDER_ERROR"), ("b", "PROVIDER_ERROR"), ("c", "succeeded")]
    assert [stream.closes for stream in scene.providers["b"].streams] == [1]


async def test_a_stream_that_breaks_after_its_first_block_is_over() -> None:
    scene = RouteScene(A, B, a_route("a", "b"))
    scene.feel(a=ScriptedProviderStream(b"one", BROKEN))

    with pytest.raises(ProviderFailedError):
        await scene.relay()

    assert scene.asked() == {"a": 1}
    assert scene.row.status is CallStatus.FAILED
    assert scene.tried == [("a", "PROVIDER_ERROR")]


async def test_an_arm_is_on_the_row_whoever_answers() -> None:
    split = Split(by=SplitBy.USER, arms=(Arm(name="new", model="a"),))
    scene = RouteScene(A, B, a_route("b", split=split))
    scene.feel(a=ProviderCredentialsError("x"))

    assert await scene.ask() == "b"
    assert (scene.row.arm, scene.row.routed_to) == ("new", "b")
    assert scene.row.reason == "retry after PROVIDER_CREDENTIALS"


async def test_a_client_that_goes_away_stops_everything() -> None:
    scene = RouteScene(A, B, a_route("a", "b"))
    thinking = Gate()
    scene.feel(a=BROKEN, b=thinking)

    task = await held_at(thinking, scene.ask())
    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.tried == [("a", "PROVIDER_ERROR"), ("b", "cancelled")]
    assert scene.asked() == {"a": 1, "b": 1}
    assert {p.standing.running for p, _ in scene.plane.deployments.states()} == {0}


async def test_a_stream_that_its_client_leaves_was_cancelled() -> None:
    scene = RouteScene(A, a_route("a"))
    stream = await scene.stream()
    await anext(aiter(stream))

    await stream.aclose()

    row = scene.ledger.rows.calls[scene.row.id]
    assert [one.outcome for one in row.attempts] == ["cancelled"]


class RecordingCheck(AllowanceCheck):
    """Holds in a budget, and remembers how much."""

    def __init__(self) -> None:
        self.held: list[Decimal] = []
        self._check = BudgetCheck(budgets=InMemoryBudgets(BudgetBooks(LedgerRows())))

    async def admit(self, request: AllowanceRequest) -> Reservation | None:
        reservation = await self._check.admit(request)
        assert isinstance(reservation, BudgetReservation)
        self.held.append(reservation.hold.amount)
        reservation.release()
        return None


async def test_the_hold_covers_the_dearest_that_may_answer() -> None:
    check = RecordingCheck()
    terms = BudgetTerms(amount=Decimal(1000), period=BudgetPeriod.DAY)
    allowance = Allowance(subject=Subject(SubjectKind.TEAM, TEAM_ID), budget=terms)
    scene = RouteScene(
        A,
        C,
        a_target("unpriced", prices=None),
        a_route("a", fallbacks=("c", "unpriced")),
        checks=(check,),
    )

    await scene.ask(actor=an_actor(allowances=(allowance,)), max_output_tokens=1, body=b"xy")

    # Two may be too slow before it is asked, and are paid for the question.
    assert check.held == [(3 + 2) * Decimal(3) / 1_000_000]


async def test_a_deployment_at_its_limits_makes_room_for_the_next() -> None:
    tight = a_target("tight", limits=DeploymentLimits(rpm=1))
    scene = RouteScene(tight, B, a_route("tight", "b"))

    assert [await scene.ask() for _ in range(3)] == ["tight", "b", "b"]
    assert scene.tried == [("tight", "RATE_LIMITED"), ("b", "succeeded")]
    assert (scene.trace.attempts, scene.row.reason) == (1, "retry after RATE_LIMITED")


async def test_when_all_are_at_their_limits_the_caller_hears_of_the_shortest_wait() -> None:
    slow = a_target("slow", limits=DeploymentLimits(rpm=1))
    busy = a_target("busy", limits=DeploymentLimits(concurrency=1))
    scene = RouteScene(slow, busy, a_route("slow", "busy"))
    assert await scene.ask() == "slow"
    running = await scene.stream()

    with pytest.raises(RateLimitedError, match="concurrency") as error:
        await scene.ask()

    assert error.value.retry_after == 1.0
    assert scene.row.error_code == "RATE_LIMITED"
    await running.aclose()
    assert await scene.ask() == "busy"


async def test_a_failed_attempt_has_used_no_tokens_of_the_deployments_limit() -> None:
    scene = RouteScene(a_target("a", limits=DeploymentLimits(tpm=1000)), B, a_route("a", "b"))
    scene.feel(a=BROKEN)

    assert await scene.ask() == "b"
    assert [used for _, used in scene.plane.limits.settled] == [0]


async def test_what_was_used_settles_the_limit_of_the_deployment() -> None:
    scene = RouteScene(a_target("a", limits=DeploymentLimits(tpm=10_000)))

    await scene.ask("a")
    await scene.ask("a", max_output_tokens=7)

    assert [used for _, used in scene.plane.limits.settled] == [15, 15]
    first, second = scene.plane.limits.taken
    assert first.tokens - second.tokens == 256 - 7


async def test_limits_that_nobody_can_count_stop_the_call() -> None:
    scene = RouteScene(a_target("a", limits=DeploymentLimits(rpm=1)), B, a_route("a", "b"))
    scene.plane.limits.asked.fail(UnavailableError("The counters are away."))

    with pytest.raises(UnavailableError):
        await scene.ask()

    assert scene.asked() == {}


TIGHT = 0.02


async def test_a_model_that_does_not_begin_in_time_makes_room_for_the_next() -> None:
    scene = RouteScene(A, B, a_route("a", "b", timeouts=RouteTimeouts(first_token=TIGHT)))
    stuck = Gate()
    stuck.shut()
    scene.feel(a=ScriptedProviderStream(stuck))

    assert await scene.relay() == [b"b", DONE]
    assert scene.tried == [("a", "PROVIDER_TIMEOUT"), ("b", "succeeded")]
    assert scene.providers["a"].streams[0].closes == 1


async def test_a_model_that_stops_talking_is_given_up() -> None:
    scene = RouteScene(A, B, a_route("a", "b", timeouts=RouteTimeouts(between_tokens=TIGHT)))
    stuck = Gate()
    stuck.shut()
    scene.feel(a=ScriptedProviderStream(b"one", b"two", stuck))

    with pytest.raises(ProviderTimedOutError, match=r"said nothing for 0\.02 s"):
        await scene.relay()

    assert scene.row.error_code == "PROVIDER_TIMEOUT"
    assert scene.asked() == {"a": 1}


async def test_a_stream_in_time_is_whole() -> None:
    limits = RouteTimeouts(first_token=5, between_tokens=5, total=50)
    scene = RouteScene(A, a_route("a", timeouts=limits))

    assert await scene.relay() == [b"a", DONE]
    assert scene.row.status is CallStatus.SUCCEEDED


async def test_the_total_covers_all_attempts() -> None:
    scene = RouteScene(A, B, a_route("a", "b", timeouts=RouteTimeouts(total=TIGHT)))
    stuck = Gate()
    stuck.shut()
    scene.feel(a=BROKEN, b=stuck)

    with pytest.raises(ProviderTimedOutError, match="the limit 'total' of 'route'"):
        await scene.ask()

    assert scene.tried == [("a", "PROVIDER_ERROR"), ("b", "cancelled")]
    assert scene.row.error_code == "PROVIDER_TIMEOUT"


@pytest.mark.parametrize("between", [None, 5.0])
async def test_the_total_covers_the_whole_stream(between: float | None) -> None:
    limits = RouteTimeouts(total=TIGHT, between_tokens=between)
    scene = RouteScene(A, a_route("a", timeouts=limits))
    stuck = Gate()
    stuck.shut()
    scene.feel(a=ScriptedProviderStream(b"one", stuck))

    with pytest.raises(ProviderTimedOutError, match="did not finish"):
        await scene.relay()


async def test_who_took_most_of_the_time_is_too_slow() -> None:
    scene = RouteScene(A, B, a_route("a", "b", timeouts=RouteTimeouts(total=TIGHT)))
    scene.settings.set(BREAKER_FAILURES, 1)
    stuck = Gate()
    scene.feel(a=BROKEN, b=stuck)

    task = await held_at(stuck, scene.ask())
    scene.clock.advance(2 * TIGHT)

    with pytest.raises(ProviderTimedOutError):
        await task
    assert scene.tried == [("a", "PROVIDER_ERROR"), ("b", "PROVIDER_TIMEOUT")]
    assert not scene.plane.deployments.admits(B)


async def test_a_time_out_that_is_not_ours_is_an_error_like_others() -> None:
    scene = RouteScene(A, a_route("a", timeouts=RouteTimeouts(total=5)))
    scene.feel(a=TimeoutError("of the provider's own making"))

    with pytest.raises(TimeoutError, match="own making"):
        await scene.ask()


async def test_who_was_tried_by_others_since_the_plan_was_made_is_left_alone() -> None:
    class Late(Interceptor):
        def concerns(self, command: InvokeModelCommand, plan: Plan) -> bool:
            return True

        async def intercept(self, passage: Passage) -> None:
            scene.plane.board.announce(DeploymentNews(deployment="a/x", out_s=60))

    scene = RouteScene(A, B, a_route("a", "b"), interceptors=(Late(),))

    assert await scene.ask() == "b"
    assert scene.asked() == {"b": 1}


async def test_attempts_are_counted_over_targets_and_fallbacks() -> None:
    retry = RetryPolicy(attempts=2)
    scene = RouteScene(A, B, C, a_route("a", "b", fallbacks=("c",), retry=retry))
    scene.feel(a=BROKEN, b=BROKEN)

    with pytest.raises(ProviderFailedError):
        await scene.ask()

    assert scene.asked() == {"a": 1, "b": 1}
    row = scene.row
    assert (row.deployment, row.routed_to, row.price) == ("b/x", "b", B.prices)
    assert row.reason == "retry after PROVIDER_ERROR"


async def test_a_stream_that_fails_before_its_first_word_has_cost_nothing() -> None:
    scene = RouteScene(A)
    scene.feel(a=(ScriptedProviderStream(BROKEN),) * 3)

    with pytest.raises(ProviderFailedError):
        await scene.stream("a")

    assert (scene.row.usage, scene.row.cost) == (None, None)
    assert scene.row.provider_request_id == "req-1"
    assert await scene.ask("a") == "a"
