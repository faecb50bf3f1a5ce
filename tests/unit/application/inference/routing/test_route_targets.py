"""Which target of a route is asked first."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from application.inference.ports import Operation
from domain.inference.call import CallStatus
from domain.inference.errors import (
    ContextLengthExceededError,
    LocalOnlyError,
    NoModelFitsError,
    ProviderCredentialsError,
    UnsupportedByModelError,
)
from domain.models.errors import (
    ModelDisabledError,
    ModelNotAllowedError,
    ModelNotFoundError,
    WrongModelKindError,
)
from domain.models.route import Arm, Split, SplitBy, Strategy, Target
from domain.models.served_model import Capability, ModelKind
from domain.operations.routing_settings import LOCAL_ONLY
from tests.builders import KEY_ID, OTHER_TEAM_ID, TEAM_ID, USER_ID, an_actor
from tests.unit.application.inference.routing.route_scene import RouteScene, a_route, a_target

A, B, C = a_target("a", dollars=3), a_target("b", dollars=2), a_target("c", dollars=1)


async def test_a_single_model_has_nothing_to_tell_of_its_way() -> None:
    scene = RouteScene(A)

    assert await scene.ask("a") == "a"
    assert (scene.row.routed_to, scene.row.reason, scene.row.attempts) == (None, None, ())
    assert (scene.trace.attempts, scene.trace.call) == (1, scene.trace.call)
    assert scene.row.status is CallStatus.SUCCEEDED


async def test_an_alias_tells_what_it_stands_for() -> None:
    scene = RouteScene(replace(A, aliases=("alpha",)))

    assert await scene.ask("alpha") == "a"
    assert (scene.row.model, scene.row.routed_to, scene.row.reason) == ("alpha", "a", None)


async def test_a_route_tells_which_target_answered_and_why() -> None:
    scene = RouteScene(A, B, a_route("a", "b"))

    assert await scene.ask() == "a"
    assert (scene.row.model, scene.row.routed_to, scene.row.reason) == ("route", "a", "priority")
    assert (scene.row.deployment, scene.row.price) == ("a/x", A.prices)
    assert scene.tried == [("a", "succeeded")]


@pytest.mark.parametrize(
    ("targets", "first"),
    [
        ((Target(model="a"), Target(model="b")), "a"),
        ((Target(model="a", priority=2), Target(model="b", priority=1)), "b"),
    ],
)
async def test_priority_goes_before_the_order_of_the_route(
    targets: tuple[Target, ...], first: str
) -> None:
    scene = RouteScene(A, B, a_route(*targets))

    assert await scene.ask() == first


async def test_weights_share_calls_smoothly() -> None:
    targets = (
        Target(model="a", weight=3),
        Target(model="b", weight=1),
        Target(model="c", weight=0),
    )
    scene = RouteScene(A, B, C, a_route(*targets, strategy=Strategy.WEIGHTED))

    found = Counter([await scene.ask() for _ in range(8)])

    assert found == {"a": 6, "b": 2}


async def test_who_is_only_held_ready_takes_nobodys_turn() -> None:
    turns = a_route("a", "b", name="turns", strategy=Strategy.WEIGHTED)
    scene = RouteScene(A, B, C, turns, a_route("c", fallbacks=("turns",)))

    found = [(await scene.ask(), await scene.ask("turns")) for _ in range(4)]

    assert found == [("c", "a"), ("c", "b"), ("c", "a"), ("c", "b")]


async def test_the_cheapest_answers() -> None:
    scene = RouteScene(A, B, C, a_route("a", "b", "c", strategy=Strategy.LOWEST_COST))

    assert await scene.ask() == "c"
    assert await scene.ask(attachments=1) == "c"


async def test_the_least_busy_answers() -> None:
    scene = RouteScene(A, B, a_route("a", "b", strategy=Strategy.LEAST_BUSY))
    first = await scene.stream()

    assert await scene.ask() == "b"
    await first.aclose()
    assert await scene.ask() == "a"


async def test_the_fastest_answers_once_all_are_known() -> None:
    scene = RouteScene(A, B, a_route("a", "b", strategy=Strategy.LOWEST_LATENCY))
    scene.plane.deployments.of(A).standing.measure(200, scene.clock.monotonic(), is_stream=False)

    assert await scene.ask() == "b"
    slow = scene.plane.deployments.of(B).standing
    slow.measure(5000, scene.clock.monotonic(), is_stream=False)
    assert await scene.ask() == "a"
    # Of streams nothing is known yet.
    assert [(await scene.relay())[0] for _ in range(2)] == [b"a", b"b"]


async def test_targets_that_are_gone_or_unable_are_left_out() -> None:
    scene = RouteScene(
        a_target("off", is_enabled=False),
        a_target("blind", capabilities=frozenset()),
        B,
        a_route("gone", "off", "blind", "b"),
    )

    assert await scene.ask(needs=frozenset({Capability.IMAGES})) == "b"


async def test_it_is_said_of_each_target_why_it_cannot() -> None:
    scene = RouteScene(
        a_target("off", is_enabled=False),
        a_target("blind", capabilities=frozenset()),
        a_route("off", "blind"),
    )

    with pytest.raises(NoModelFitsError) as error:
        await scene.ask(needs=frozenset({Capability.IMAGES}))

    assert error.value.message == (
        "No model behind 'route' can answer this call: 'off' is switched off; 'blind' cannot see"
        " images."
    )
    assert (scene.row.status, scene.row.error_code) == (CallStatus.REFUSED, "NO_MODEL_FITS")
    assert scene.asked() == {}


async def test_a_route_to_nothing_says_so() -> None:
    scene = RouteScene(a_route("gone"))

    with pytest.raises(NoModelFitsError, match="there is none"):
        await scene.ask()


async def test_a_long_prompt_goes_where_there_is_room() -> None:
    scene = RouteScene(
        a_target("small", context_length=100),
        a_target("big", context_length=9999),
        a_route("small", "big"),
    )

    assert await scene.ask() == "small"
    assert await scene.ask(body=b"x" * 4000) == "big"
    assert await scene.ask(body=b"x" * 4000, attachments=1) == "small"
    assert await scene.ask(body=b"x" * 4000, prompt_bytes=10) == "small"


async def test_the_right_to_the_name_is_the_right_to_what_is_behind_it() -> None:
    scene = RouteScene(A, a_route("a"))
    actor = an_actor(allowed_models=("route",))

    assert await scene.ask(actor=actor) == "a"
    with pytest.raises(ModelNotAllowedError):
        await scene.ask("a", actor=actor)
    with pytest.raises(ModelNotAllowedError):
        await scene.ask(actor=an_actor(allowed_models=("a",)))


async def test_a_route_of_another_kind_or_switched_off_is_refused() -> None:
    scene = RouteScene(A, a_route("a"), a_route("a", name="off", is_enabled=False))

    with pytest.raises(WrongModelKindError):
        await scene.ask(operation=Operation.EMBEDDING)
    with pytest.raises(ModelDisabledError):
        await scene.ask("off")


async def test_a_public_route_of_another_team_leads_to_models_of_that_team() -> None:
    theirs = a_target("theirs", owner=OTHER_TEAM_ID, is_public=False)
    backup = a_target("backup", owner=OTHER_TEAM_ID, is_public=False)
    route = a_route("theirs", owner=OTHER_TEAM_ID, fallbacks=("backup",))
    scene = RouteScene(theirs, backup, route)

    assert await scene.ask() == "theirs"
    assert scene.row.lenders == (OTHER_TEAM_ID,)
    with pytest.raises(ModelNotFoundError):
        await scene.ask("theirs")


async def test_who_lends_a_model_is_on_record_even_if_another_one_answers() -> None:
    theirs = a_target("theirs", owner=OTHER_TEAM_ID)
    scene = RouteScene(theirs, A, a_route("theirs", "a"))
    scene.feel(theirs=ProviderCredentialsError("x"))

    assert await scene.ask() == "a"
    assert scene.row.lenders == (OTHER_TEAM_ID,)


async def test_what_nobody_lent_has_no_lender() -> None:
    scene = RouteScene(A, a_target("ours", owner=TEAM_ID))

    for name in ("a", "ours"):
        await scene.ask(name)
        assert not scene.row.lenders


async def test_what_must_stay_here_never_leaves() -> None:
    scene = RouteScene(A, a_target("here", runs_here=True), a_route("a", "here"))

    assert await scene.ask(local_only=True) == "here"
    assert await scene.ask("here", local_only=True) == "here"
    with pytest.raises(LocalOnlyError):
        await scene.ask("a", local_only=True)
    assert scene.asked() == {"here": 2}


async def test_what_must_stay_here_leaves_by_no_model_of_the_same_name() -> None:
    ours = a_target("m", owner=TEAM_ID, is_public=False, provider="ours", runs_here=True)
    theirs = a_target("m", owner=OTHER_TEAM_ID, is_public=False, provider="theirs")
    scene = RouteScene(
        a_target("here", runs_here=True),
        ours,
        theirs,
        a_route("here", owner=TEAM_ID, fallbacks=("m", "their-route")),
        a_route("m", name="their-route", owner=OTHER_TEAM_ID),
    )
    scene.feel(here=ProviderCredentialsError("x"), ours=ProviderCredentialsError("x"))

    with pytest.raises(ProviderCredentialsError):
        await scene.ask(local_only=True)

    assert scene.asked() == {"here": 1, "ours": 1}


async def test_a_team_may_keep_everything_here() -> None:
    scene = RouteScene(A, a_target("here", runs_here=True), a_route("a", "here"))
    scene.settings.set(LOCAL_ONLY, True, TEAM_ID)

    assert await scene.ask() == "here"
    assert await scene.ask(actor=an_actor(team_id=OTHER_TEAM_ID)) == "a"


async def test_a_single_model_that_cannot_is_refused_with_what_it_lacks() -> None:
    scene = RouteScene(a_target("plain", capabilities=frozenset(), context_length=100))

    with pytest.raises(UnsupportedByModelError, match="cannot call tools"):
        await scene.ask("plain", needs=frozenset({Capability.TOOLS}))
    with pytest.raises(ContextLengthExceededError):
        await scene.ask("plain", max_output_tokens=101)


async def test_a_single_model_that_can_is_asked() -> None:
    able = a_target("able", capabilities=frozenset({Capability.TOOLS}))
    scene = RouteScene(able)

    assert await scene.ask("able", needs=frozenset({Capability.TOOLS})) == "able"


SPLIT = Split(
    by=SplitBy.USER,
    arms=(Arm(name="old", model="a"), Arm(name="new", model="b")),
)


async def test_a_split_keeps_everybody_in_one_arm() -> None:
    scene = RouteScene(A, B, a_route("a", split=SPLIT))
    found: dict[str, set[str]] = {}

    for user in [f"user-{n}" for n in range(20)] * 3:
        found.setdefault(user, set()).add(await scene.ask(user=user))
        assert (scene.row.arm, scene.row.reason) in {("old", "split"), ("new", "split")}
        assert scene.row.routed_to == {"old": "a", "new": "b"}[scene.row.arm or ""]

    assert all(len(answers) == 1 for answers in found.values())
    assert set().union(*found.values()) == {"a", "b"}


@pytest.mark.parametrize(
    ("by", "fields", "others"),
    [
        (SplitBy.USER, {"user": "ann"}, {"user": "ann", "conversation": "c"}),
        (SplitBy.CONVERSATION, {"conversation": "c"}, {"user": "ann", "conversation": "c"}),
        (SplitBy.CONVERSATION, {"user": "ann"}, {"user": "ann"}),
        (SplitBy.USER, {}, {"user": str(USER_ID)}),
        (SplitBy.USER, {"actor": an_actor(user_id=None)}, {"user": str(KEY_ID)}),
        (SplitBy.USER, {"actor": an_actor(user_id=None, key_id=None)}, {"user": str(TEAM_ID)}),
    ],
)
async def test_who_somebody_is_follows_from_what_is_said_and_else_from_the_caller(
    by: SplitBy, fields: dict[str, Any], others: dict[str, Any]
) -> None:
    arms = tuple(Arm(name=f"arm-{n}", model="a") for n in range(1000))
    scene = RouteScene(A, a_route("a", split=Split(by=by, arms=arms)))

    await scene.ask(**fields)
    first = scene.row.arm
    await scene.ask(**others)

    assert scene.row.arm == first


async def test_an_arm_whose_model_cannot_answer_keeps_its_name() -> None:
    split = replace(SPLIT, arms=(Arm(name="only", model="off"),))
    scene = RouteScene(a_target("off", is_enabled=False), B, a_route("b", split=split))

    assert await scene.ask() == "b"
    assert (scene.row.arm, scene.row.reason) == ("only", "priority")


async def test_an_arm_whose_model_is_gone_keeps_its_name() -> None:
    split = replace(SPLIT, arms=(Arm(name="only", model="gone"),))
    scene = RouteScene(B, a_route("b", split=split))

    assert await scene.ask() == "b"
    assert scene.row.arm == "only"


async def test_auto_takes_the_best_of_what_the_caller_may_use() -> None:
    vectors = a_target("vectors", kind=ModelKind.EMBEDDING, dollars=0)
    scene = RouteScene(A, B, C, vectors)

    assert await scene.ask("auto", actor=an_actor(allowed_models=("a", "b"))) == "b"
    assert scene.row.routed_to == "b"
    assert (scene.row.reason or "").startswith("auto: of 2 the one at about $")
    assert await scene.ask("auto", attachments=1) == "c"


async def test_auto_is_there_for_chats_only_and_only_with_models() -> None:
    scene = RouteScene(a_target("vectors", kind=ModelKind.EMBEDDING))

    with pytest.raises(ModelNotFoundError):
        await scene.ask("auto", operation=Operation.EMBEDDING)
    with pytest.raises(ModelNotFoundError):
        await scene.ask("auto")


async def test_a_model_that_is_called_auto_is_meant() -> None:
    scene = RouteScene(A, C, a_route("a", name="auto"))

    assert await scene.ask("auto") == "a"


async def test_the_price_is_that_of_the_deployment_that_answered() -> None:
    scene = RouteScene(A, B, a_route("b", "a"))

    await scene.ask()

    # Ten tokens of prompt and five of answer.
    assert scene.row.cost == Decimal(2) * 15 / 1_000_000
