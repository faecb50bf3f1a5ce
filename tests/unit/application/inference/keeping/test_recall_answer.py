import json
from decimal import Decimal
from typing import Any

import pytest

from application.inference.ports import Operation
from application.inference.rate_limit_check import RateLimitCheck
from domain.identity.allowance import Allowance, Limits, Subject, SubjectKind
from domain.identity.permissions import Permission
from domain.inference.call import CacheUse, CallStatus
from domain.inference.keeping.question import key_of
from domain.models.route import CachePolicy
from domain.operations.keeping_settings import ANSWER_CACHE_SECONDS
from domain.operations.routing_settings import LOCAL_ONLY
from domain.operations.runtime_settings import CACHE_DISABLE_ALL
from domain.shared.errors import UpstreamError
from tests.builders import OTHER_TEAM_ID, TEAM_ID, an_actor
from tests.fakes.providers import DONE, USAGE, ScriptedProviderStream
from tests.fakes.rate_limits import InMemoryRateLimits
from tests.unit.application.inference.keeping.keeping_scene import KeepingScene
from tests.unit.application.inference.routing.route_scene import a_route, a_target

ROUTE = a_route("a", "b", cache=CachePolicy(ttl_s=60))


def a_scene(**fields: Any) -> KeepingScene:
    return KeepingScene(a_target("a"), a_target("b"), ROUTE, a_route("a", name="plain"), **fields)


def body(**members: object) -> bytes:
    asked = {"model": "route", "messages": [{"role": "user", "content": "hi"}]}
    return json.dumps(asked | members).encode()


async def test_an_equal_call_gets_the_same_answer_without_a_model() -> None:
    scene = a_scene()
    first = await scene.ask()
    scene.clock.advance(5)

    second = await scene.ask()

    assert second == first == "a"
    assert scene.asked() == {"a": 1}
    assert scene.trace.age_s == 5


async def test_the_row_of_a_recalled_answer_says_what_was_saved() -> None:
    scene = a_scene()
    await scene.ask()
    cost, cache = scene.row.cost, scene.row.cache

    await scene.ask()

    assert cache is CacheUse.MISS
    row = scene.row
    assert (row.cache, row.status, row.cost, row.saved) == (
        CacheUse.HIT,
        CallStatus.SUCCEEDED,
        Decimal(0),
        cost,
    )
    assert (row.usage, row.provider, row.routed_to) == (USAGE, None, "a")


async def test_streams_are_replayed_block_by_block() -> None:
    scene = a_scene()
    scene.feel(a=ScriptedProviderStream(b"one", b"two", DONE))
    first = await scene.relay()

    second = await scene.relay()

    assert second == first == [b"one", b"two", DONE]
    assert scene.asked() == {"a": 1}
    assert scene.row.cache is CacheUse.HIT


async def test_a_stream_that_broke_off_is_not_kept() -> None:
    scene = a_scene()
    scene.feel(a=ScriptedProviderStream(b"one", UpstreamError("It broke.")))

    with pytest.raises(UpstreamError):
        await scene.relay()

    assert scene.cache.kept == {}


async def test_a_stream_whose_client_left_is_not_kept() -> None:
    scene = a_scene()
    scene.feel(a=ScriptedProviderStream(b"one", b"two", DONE))
    stream = await scene.stream()
    async for _ in stream:
        break

    await stream.aclose()

    assert scene.cache.kept == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"stream": True, "operation": Operation.COMPLETION},
        {"body": body(temperature=0.5)},
        {"body": body(seed=1)},
        {"body": body(response_format={"type": "json_object"})},
        {"body": body(tools=[])},
        {"body": body(n=2)},
        {"operation": Operation.MESSAGES},
        {"features": ("beta",)},
        {"actor": an_actor(permissions=frozenset({Permission.INVOKE_MODELS}))},
        {"actor": an_actor(team_id=OTHER_TEAM_ID)},
        {"actor": an_actor(allowed_models=("rou*",))},
        {"model": "a"},
    ],
)
async def test_another_question_is_asked(fields: dict[str, Any]) -> None:
    scene = a_scene()
    scene.settings.set(ANSWER_CACHE_SECONDS, 60, TEAM_ID)
    await scene.ask(body=body())
    asking = scene.relay if fields.pop("stream", False) else scene.invoke

    await asking(**({"body": body()} | fields))

    assert scene.row.cache in (CacheUse.MISS, None)
    assert scene.asked() == {"a": 2}


@pytest.mark.parametrize(
    "members",
    [{"user": "me"}, {"metadata": {"a": "b"}}, {"store": True}, {"stream": False}],
)
async def test_what_has_no_effect_makes_no_difference(members: dict[str, object]) -> None:
    scene = a_scene()
    await scene.ask(body=body())

    await scene.ask(body=body(**members))

    assert scene.row.cache is CacheUse.HIT


async def test_an_answer_expires() -> None:
    scene = a_scene()
    await scene.ask()
    scene.clock.advance(60)

    await scene.ask()

    assert scene.row.cache is CacheUse.MISS


async def test_a_shorter_time_to_live_holds_for_what_is_there() -> None:
    scene = KeepingScene(a_target("a"))
    scene.settings.set(ANSWER_CACHE_SECONDS, 600, TEAM_ID)
    await scene.ask("a")
    scene.clock.advance(60)
    scene.settings.set(ANSWER_CACHE_SECONDS, 30, TEAM_ID)

    await scene.ask("a")

    assert scene.asked() == {"a": 2}


async def test_without_a_policy_the_cache_is_not_asked() -> None:
    scene = a_scene()

    await scene.ask("plain")

    assert (scene.row.cache, scene.cache.asked, scene.cache.kept) == (None, 0, {})


async def test_a_team_may_want_it_for_all_its_calls() -> None:
    scene = a_scene()
    scene.settings.set(ANSWER_CACHE_SECONDS, 60, TEAM_ID)
    await scene.ask("a")

    await scene.ask("a")

    assert scene.row.cache is CacheUse.HIT


async def test_it_can_be_switched_off_for_all() -> None:
    scene = a_scene()
    scene.settings.set(CACHE_DISABLE_ALL, value=True)

    await scene.ask()

    assert (scene.row.cache, scene.cache.kept) == (None, {})


@pytest.mark.parametrize(("may_keep", "kept"), [(False, 0), (True, 1)])
async def test_a_client_may_want_a_fresh_answer(*, may_keep: bool, kept: int) -> None:
    scene = a_scene()

    await scene.ask(may_recall=False, may_keep=may_keep)

    assert (scene.row.cache, scene.cache.asked) == (CacheUse.BYPASS, 0)
    assert len(scene.cache.kept) == kept


@pytest.mark.parametrize(
    "asked",
    [b"[]", b"no json", b"[" * 100_000, b'{"messages":["evil"],"messages":["good"]}'],
)
async def test_what_cannot_be_compared_is_asked(asked: bytes) -> None:
    scene = a_scene()

    await scene.ask(body=asked)

    assert (scene.row.cache, scene.cache.kept) == (CacheUse.BYPASS, {})


async def test_a_cache_that_is_away_fails_no_call() -> None:
    scene = a_scene()
    scene.cache.is_away = True

    answer = await scene.ask()

    assert (answer, scene.row.cache) == ("a", CacheUse.AWAY)


async def test_a_recalled_answer_counts_as_a_request_and_not_its_tokens() -> None:
    limits = InMemoryRateLimits()
    scene = a_scene(checks=(RateLimitCheck(limits=limits),))
    limited = Allowance(subject=Subject(SubjectKind.TEAM, TEAM_ID), limits=Limits(rpm=10, tpm=1000))
    actor = an_actor(allowances=(limited,))
    await scene.ask(actor=actor)

    await scene.ask(actor=actor)

    demand, used = limits.settled[-1]
    assert (len(limits.taken), demand.tokens, used) == (2, 0, 0)


async def test_what_left_the_machine_is_not_given_to_a_team_that_keeps_local() -> None:
    scene = KeepingScene(a_target("a"), a_target("b", runs_here=True), ROUTE)
    await scene.ask()
    scene.settings.set(LOCAL_ONLY, value=True, team_id=TEAM_ID)

    answer = await scene.ask()

    assert (answer, scene.row.cache) == ("b", CacheUse.MISS)


async def test_a_provider_that_moved_is_asked_again() -> None:
    scene = a_scene()
    await scene.ask()
    scene.whereabouts.moved["b"] = "elsewhere"

    await scene.ask()

    assert scene.asked() == {"a": 2}


async def test_what_stands_behind_a_fallback_counts() -> None:
    routes = [a_route("a", name="route", cache=CachePolicy(ttl_s=60), fallbacks=("other",))]
    routes += [a_route("b", name="other", fallbacks=("route",))]
    scene = KeepingScene(a_target("a"), a_target("b"), *routes)
    await scene.ask()
    scene.whereabouts.moved["b"] = "elsewhere"

    await scene.ask()

    assert scene.asked() == {"a": 2}


async def test_an_answer_may_be_too_old_for_a_client() -> None:
    scene = a_scene()
    await scene.ask()
    scene.clock.advance(5)

    await scene.ask(max_age_s=5)
    hit = scene.row.cache
    await scene.ask(max_age_s=4)
    await scene.ask(max_age_s=4)

    assert (hit, scene.row.cache, scene.asked()) == (CacheUse.HIT, CacheUse.HIT, {"a": 2})


@pytest.mark.parametrize("is_streamed_first", [True, False])
async def test_an_answer_is_given_again_in_the_other_form(*, is_streamed_first: bool) -> None:
    scene = a_scene()
    scene.feel(a=ScriptedProviderStream(b"one", b"two"))
    first, second = scene.relay, scene.ask
    if not is_streamed_first:
        scene.providers["a"].moods.clear()
        first, second = scene.ask, scene.relay  # type: ignore[assignment] # both are asked alike
    await first()

    again = await second()

    assert again == ("onetwo" if is_streamed_first else [b"a"])
    assert (scene.row.cache, scene.row.usage) == (CacheUse.HIT, USAGE)
    assert scene.asked() == {"a": 1}


def test_the_key_does_not_change_with_the_order_of_members() -> None:
    assert key_of((1,), {"a": 1, "b": {"c": 2, "d": 3}}) == key_of(
        (1,), {"b": {"d": 3, "c": 2}, "a": 1}
    )
