import json
from decimal import Decimal
from typing import Any

import pytest

from application.inference.keeping.find_meaning import ENDPOINT
from application.inference.ports import Operation
from application.inference.rate_limit_check import RateLimitCheck
from domain.identity.allowance import Allowance, Limits, Subject, SubjectKind
from domain.inference.call import CacheUse
from domain.models.route import CachePolicy
from domain.models.served_model import ModelKind
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_model, an_actor
from tests.fakes.rate_limits import InMemoryRateLimits
from tests.unit.application.inference.keeping.keeping_scene import KeepingScene
from tests.unit.application.inference.routing.route_scene import a_route, a_target

VECTORS = a_model(name="vectors", provider="vectors", kind=ModelKind.EMBEDDING)
ALIKE = CachePolicy(ttl_s=60, semantic_threshold=0.8)


def a_scene(**fields: Any) -> KeepingScene:
    models = (a_target("a"), a_target("b"), VECTORS)
    return KeepingScene(*models, a_route("a", cache=ALIKE), **fields)


def asking(text: object, **members: object) -> bytes:
    asked = {"model": "route", "messages": [{"role": "user", "content": text}]}
    return json.dumps(asked | members).encode()


async def test_a_similar_question_gets_the_same_answer() -> None:
    scene = a_scene()
    await scene.ask(body=asking("how are you"))
    cost = scene.row.cost

    answer = await scene.ask(body=asking("how are you you"))

    row = scene.row
    assert (answer, row.cache, row.saved) == ("a", CacheUse.SEMANTIC, cost)
    assert (row.cost, row.reason) == (Decimal(0), "similarity 0.9428")
    assert len(scene.providers["a"].requests) == 1


async def test_a_question_that_is_not_similar_enough_is_asked() -> None:
    scene = a_scene()
    await scene.ask(body=asking("how are you"))

    await scene.ask(body=asking("how me"))

    assert scene.row.cache is CacheUse.MISS
    assert len(scene.cache.kept) == 2


async def test_an_equal_question_needs_no_vector() -> None:
    scene = a_scene()
    await scene.ask(body=asking("how are you"))

    await scene.ask(body=asking("how are you"))

    assert scene.row.cache is CacheUse.HIT
    assert len(scene.vectors.requests) == 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (asking("how are you you", temperature=1), {}),
        (asking("how are you you", tools=[]), {}),
        (asking("how are you you", model="other"), {}),
        (
            asking(
                "x",
                messages=[
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "how are you you"},
                ],
            ),
            {},
        ),
        (asking("how are you you"), {"actor": an_actor(team_id=OTHER_TEAM_ID)}),
        (asking("how are you you"), {"actor": an_actor(allowed_models=("route",))}),
        (asking("how are you you"), {"operation": Operation.MESSAGES}),
    ],
)
async def test_everything_else_has_to_be_equal(body: bytes, fields: dict[str, Any]) -> None:
    scene = a_scene()
    await scene.ask(body=asking("how are you"))

    await scene.ask(body=body, **fields)

    assert scene.row.cache is CacheUse.MISS


@pytest.mark.parametrize(
    "body",
    [
        asking([{"type": "image_url", "image_url": {"url": "x"}}]),
        asking([{"type": "text", "text": "how", "cache_control": {}}]),
        asking("x", messages=[{"role": "tool", "content": "how"}]),
        asking("x", messages=["how"]),
        asking("", messages=[]),
        asking(None),
        asking([1]),
        asking([{"type": "text", "text": 1}]),
    ],
)
async def test_only_what_the_user_says_last_is_compared(body: bytes) -> None:
    scene = a_scene()

    await scene.ask(body=body)

    assert scene.vectors.requests == []
    assert len(scene.cache.kept) == 1


async def test_texts_in_parts_and_plain_inputs_are_compared() -> None:
    scene = a_scene()
    parts = [{"type": "text", "text": "how are"}, {"type": "text", "text": "you"}]
    await scene.ask(body=asking(parts))
    plain = json.dumps({"model": "route", "input": "how are you"}).encode()
    await scene.ask(body=plain, operation=Operation.RESPONSES)

    await scene.ask(body=plain.replace(b"you", b"you you"), operation=Operation.RESPONSES)

    assert scene.row.cache is CacheUse.SEMANTIC


async def test_what_a_question_means_is_a_call_of_its_own() -> None:
    limits = InMemoryRateLimits()
    scene = a_scene(checks=(RateLimitCheck(limits=limits),))
    limited = Allowance(subject=Subject(SubjectKind.TEAM, TEAM_ID), limits=Limits(rpm=10))
    actor = an_actor(allowances=(limited,), allowed_models=("route",))

    await scene.ask(body=asking("how are you"), actor=actor, correlation_id="c-9", tags=("t",))

    embedded, asked = sorted(scene.ledger.rows.calls.values(), key=lambda call: call.id)
    assert (embedded.endpoint, embedded.routed_to) == (ENDPOINT, "vectors")
    assert (embedded.correlation_id, embedded.tags) == (asked.correlation_id, ("t",))
    assert embedded.cost
    assert len(limits.taken) == 1


@pytest.mark.parametrize("said", [b"no json", b"{}", b"[]", b'{"data":[{"embedding":[0,0]}]}'])
async def test_without_a_vector_equal_questions_are_still_found(said: bytes) -> None:
    scene = a_scene()
    scene.vectors.answer = said
    await scene.ask(body=asking("how are you"))
    cache = scene.row.cache

    await scene.ask(body=asking("how are you"))

    assert (cache, scene.row.cache) == (CacheUse.MISS, CacheUse.HIT)


async def test_without_an_embedding_model_equal_questions_are_still_found() -> None:
    scene = KeepingScene(a_target("a"), a_route("a", cache=ALIKE))
    await scene.ask(body=asking("how are you"))

    await scene.ask(body=asking("how are you"))

    assert scene.row.cache is CacheUse.HIT
