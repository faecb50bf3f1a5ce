from typing import Any

import pytest

from domain.inference.routing.eligibility import CallShape, is_larger, objection, with_room
from domain.inference.token_estimate import TokenEstimate
from domain.models.served_model import Capability, ModelKind
from tests.builders import a_model


def a_shape(**fields: Any) -> CallShape:
    return CallShape(**({"kind": ModelKind.CHAT} | fields))


def test_a_model_that_nobody_says_anything_of_is_tried() -> None:
    shape = a_shape(needs=frozenset(Capability), max_output=10**6)

    assert objection(a_model(), shape) is None


@pytest.mark.parametrize(
    ("model", "shape", "reason"),
    [
        ({"is_enabled": False}, {}, "is switched off"),
        ({"kind": ModelKind.EMBEDDING}, {}, "is of kind 'embedding'"),
        ({}, {"local_only": True}, "leaves the machine, and the call is marked local_only"),
        (
            {"capabilities": frozenset({Capability.TOOLS})},
            {"needs": frozenset({Capability.TOOLS, Capability.IMAGES, Capability.AUDIO})},
            "cannot hear or speak or see images",
        ),
        (
            {"context_length": 100},
            {"max_output": 101},
            "has a context of 100 tokens, fewer than the answer may have",
        ),
    ],
)
def test_every_objection_is_said(model: dict[str, Any], shape: dict[str, Any], reason: str) -> None:
    assert objection(a_model(**model), a_shape(**shape)) == reason


def test_what_runs_here_may_answer_what_must_not_leave() -> None:
    assert objection(a_model(runs_here=True), a_shape(local_only=True)) is None


def test_capabilities_that_are_there_are_no_objection() -> None:
    able = a_model(capabilities=frozenset({Capability.TOOLS}), context_length=100)

    assert objection(able, a_shape(needs=frozenset({Capability.TOOLS}), max_output=100)) is None


def test_only_models_with_room_are_left() -> None:
    small, large, unknown = a_model(context_length=10), a_model(context_length=99), a_model()
    shape = a_shape(estimate=TokenEstimate(prompt=50, output=20))

    assert with_room([small, large, unknown], shape) == [large, unknown]
    assert with_room([small], a_shape(estimate=TokenEstimate(prompt=10))) == [small]


def test_an_estimate_leaves_the_largest_where_nothing_seems_to_fit() -> None:
    small, large = a_model(context_length=10), a_model(context_length=99)
    shape = a_shape(estimate=TokenEstimate(prompt=1000))

    assert with_room([small, large], shape) == [large]
    assert with_room([], shape) == []


def test_without_an_estimate_all_have_room() -> None:
    small = a_model(context_length=10)

    assert with_room([small], a_shape()) == [small]


def test_a_larger_context_is_one_that_is_known_to_be_or_not_known_at_all() -> None:
    small, large, unknown = a_model(context_length=10), a_model(context_length=99), a_model()

    assert is_larger(large, small)
    assert is_larger(unknown, large)
    assert is_larger(small, unknown)
    assert is_larger(unknown, unknown)
    assert not is_larger(small, large)
    assert not is_larger(large, large)
