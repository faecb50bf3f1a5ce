from dataclasses import replace
from typing import Any

import pytest

from domain.models.registry.route_rules import Found, reference_problems, route_problems
from domain.models.route import (
    Arm,
    CachePolicy,
    GuardrailPolicy,
    RetryPolicy,
    Route,
    RouteTimeouts,
    Split,
    SplitBy,
    Target,
)
from domain.models.served_model import ModelKind
from tests.builders import a_model
from tests.registry_builders import a_route

ARMS = (Arm(name="a", model="large"), Arm(name="b", model="small"))


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"name": "two words"}, "name"),
        ({"name": "auto"}, "name"),
        ({"aliases": ("any",)}, "aliases"),
        ({"aliases": tuple(map(str, range(21)))}, "aliases"),
        ({"targets": ()}, "targets"),
        ({"targets": (Target(model="a"), Target(model="a"))}, "targets"),
        ({"targets": (Target(model="a", weight=0),)}, "targets"),
        ({"targets": (Target(model="a", weight=-1),)}, "targets[0].weight"),
        ({"targets": (Target(model="a", priority=-1),)}, "targets[0].priority"),
        ({"fallbacks": ("b", "b")}, "fallbacks"),
        ({"retry": RetryPolicy(attempts=21)}, "retry.attempts"),
        ({"retry": RetryPolicy(backoff_ms=10, max_backoff_ms=5)}, "retry.max_backoff_ms"),
        ({"timeouts": RouteTimeouts(first_token=-1)}, "timeouts.first_token"),
        ({"hedge_after_ms": 0}, "hedge_after_ms"),
        ({"health_check_s": -1}, "health_check_s"),
        ({"split": Split(by=SplitBy.USER, arms=ARMS[:1])}, "split.arms"),
        ({"split": Split(by=SplitBy.USER, arms=(ARMS[0], ARMS[0]))}, "split.arms"),
        ({"split": Split(by=SplitBy.USER, arms=ARMS, salt="\n")}, "split.salt"),
        ({"cache": CachePolicy(ttl_s=0)}, "cache.ttl_s"),
        ({"cache": CachePolicy(ttl_s=1, semantic_threshold=1.5)}, "cache.semantic_threshold"),
        ({"guardrails": GuardrailPolicy(max_input=0)}, "guardrails.max_input"),
        ({"guardrails": GuardrailPolicy(denied=(" ",))}, "guardrails.denied"),
        ({"guardrails": GuardrailPolicy(denied=("\0",))}, "guardrails.denied"),
        ({"guardrails": GuardrailPolicy(denied=("\u200b \u00ad",))}, "guardrails.denied"),
        ({"guardrails": GuardrailPolicy(pii=("shoe",))}, "guardrails.pii"),
        ({"guardrails": GuardrailPolicy(output_schema={"a": "\0"})}, "guardrails.output_schema"),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Any], field: str) -> None:
    problems = route_problems(replace(a_route("large"), **members))

    assert field in [name for name, _ in problems]


def test_a_sound_route_has_no_problems() -> None:
    route = a_route(
        "large",
        "small",
        fallbacks=("spare",),
        split=Split(by=SplitBy.CONVERSATION, arms=ARMS),
        cache=CachePolicy(ttl_s=60, semantic_threshold=0.9),
        guardrails=GuardrailPolicy(pii=("email",), denied=("no",)),
        timeouts=RouteTimeouts(total=5),
        hedge_after_ms=100,
    )

    assert route_problems(route) == []


def problems(route: Route, *others: Any) -> list[tuple[str, str]]:
    by_name: dict[str, Found] = {name: one for one in others for name in one.names}
    return reference_problems(route, by_name.get)


def test_targets_are_models_of_the_kind() -> None:
    vectors = a_model(name="vectors", kind=ModelKind.EMBEDDING)
    route = a_route("large", "vectors", "nothing", "way")

    found = problems(route, a_model(), vectors, a_route("large", name="way"))

    assert [field for field, _ in found] == [f"targets[{n}].model" for n in (1, 2, 3)]


def test_arms_are_models_too() -> None:
    route = a_route("large", split=Split(by=SplitBy.USER, arms=ARMS))

    assert [field for field, _ in problems(route, a_model())] == ["split.arms[1].model"]


def test_fallbacks_may_be_routes_that_do_not_come_back() -> None:
    large = a_model()
    second = a_route("large", name="second", fallbacks=("third",))
    third = a_route("large", name="third", fallbacks=("any",))

    assert problems(a_route("large", fallbacks=("second",)), large, second, third)
    assert problems(a_route("large", fallbacks=("any",)), large)
    assert not problems(
        a_route("large", fallbacks=("second", "large")), large, second, replace(third, fallbacks=())
    )


def test_a_circle_of_others_does_not_hang() -> None:
    one = a_route("large", name="one", fallbacks=("two",))
    two = a_route("large", name="two", fallbacks=("one",))

    assert problems(a_route("large", fallbacks=("one",)), a_model(), one, two) == []
