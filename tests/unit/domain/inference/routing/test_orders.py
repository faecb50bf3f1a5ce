"""The orders in which the targets of a route are tried."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.inference.routing.auto import ranked
from domain.inference.routing.candidate import Candidate
from domain.inference.routing.smooth_weights import SmoothWeights
from domain.inference.routing.standing import (
    FAILED_MS,
    STALE_S,
    Standing,
    least_busy,
    lowest_cost,
    lowest_latency,
)
from domain.inference.token_estimate import TokenEstimate
from domain.models.prices import Prices
from domain.models.served_model import Capability
from tests.builders import a_model

ESTIMATE = TokenEstimate(prompt=1_000_000, output=1_000_000)


def a_candidate(name: str, weight: int = 1, dollars: int | None = 1) -> Candidate:
    prices = None if dollars is None else Prices(input=Decimal(dollars), output=Decimal(0))
    return Candidate(model=a_model(name=name, prices=prices), weight=weight)


def names(candidates: list[Candidate]) -> str:
    return "".join(one.model.name for one in candidates)


def known(**standings: Standing) -> list[tuple[Candidate, Standing]]:
    return [(a_candidate(name), standing) for name, standing in standings.items()]


def measured(ttft_ms: float, *, at: float = 0.0, running: int = 0) -> Standing:
    standing = Standing(running=running)
    standing.measure(ttft_ms, at)
    return standing


def test_weights_are_smooth() -> None:
    turns = SmoothWeights()
    candidates = [a_candidate("a", 5), a_candidate("b", 1), a_candidate("c", 1)]

    chosen = "".join(turns.order(candidates)[0].model.name for _ in range(7))

    assert chosen == "aabacaa"


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6).filter(any))
def test_every_round_gives_each_its_share_and_no_more(weights: list[int]) -> None:
    turns = SmoothWeights()
    candidates = [a_candidate(f"m{n}", weight) for n, weight in enumerate(weights)]

    for _ in range(3):
        chosen = Counter(turns.order(candidates)[0].model.name for _ in range(sum(weights)))

        assert [chosen[one.model.name] for one in candidates] == weights


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(1, 60))
def test_nobody_is_ever_ahead_by_more_than_a_turn(weights: list[int], rounds: int) -> None:
    turns = SmoothWeights()
    candidates = [a_candidate(f"m{n}", weight) for n, weight in enumerate(weights)]

    chosen = Counter(turns.order(candidates)[0].model.name for _ in range(rounds))

    for one in candidates:
        share = rounds * one.weight / sum(weights)
        assert abs(chosen[one.model.name] - share) < len(weights)


def test_new_weights_count_from_the_next_turn_on() -> None:
    turns = SmoothWeights()
    for _ in range(60):
        turns.order([a_candidate("a", 99), a_candidate("b", 1)])

    equal = [a_candidate("a"), a_candidate("b")]
    chosen = Counter(turns.order(equal)[0].model.name for _ in range(10))

    assert chosen == {"a": 5, "b": 5}


def test_who_is_drained_gets_nothing_any_more() -> None:
    turns = SmoothWeights()
    for _ in range(2):
        turns.order([a_candidate("a", 5), a_candidate("b", 4)])

    drained = [a_candidate("a", 0), a_candidate("b", 4)]

    assert {turns.order(drained)[0].model.name for _ in range(10)} == {"b"}


def test_who_was_away_is_not_caught_up_with() -> None:
    turns = SmoothWeights()
    a, b, c = (a_candidate(name) for name in "abc")
    for _ in range(50):
        turns.order([b, c])

    chosen = "".join(turns.order([a, b, c])[0].model.name for _ in range(6))

    assert chosen == "abcabc"


def test_an_order_has_everybody_and_nobody_makes_none() -> None:
    turns = SmoothWeights()

    assert sorted(names(turns.order([a_candidate("a"), a_candidate("b")]))) == ["a", "b"]
    assert turns.order([]) == []


def test_the_least_busy_is_relative_to_its_weight() -> None:
    candidates = [
        (a_candidate("a", 1), Standing(running=1)),
        (a_candidate("b", 4), Standing(running=2)),
        (a_candidate("c", 0), Standing(running=0)),
    ]

    assert names(least_busy(candidates)) == "bac"


def test_the_unknown_are_explored_one_call_at_a_time() -> None:
    candidates = known(a=measured(200), b=Standing(), c=measured(100), d=Standing(running=1))

    assert names(lowest_latency(candidates, 1.0)) == "bcad"


def test_what_was_measured_long_ago_is_unknown_again() -> None:
    candidates = known(a=measured(100, at=500.0), b=measured(50, at=0.0))

    assert names(lowest_latency(candidates, 501.0)) == "ba"


def test_latency_is_an_average_that_forgets() -> None:
    standing = measured(100)
    standing.measure(200, 1.0)
    assert standing.latency(1.0) == 130.0

    standing.measure(500, 2.0 + STALE_S)
    assert standing.latency(2.0 + STALE_S) == 500.0


def test_streams_and_whole_answers_are_compared_with_their_like() -> None:
    candidates = known(a=measured(200), b=measured(100))
    for (_, standing), whole_ms in zip(candidates, (300, 9000), strict=True):
        standing.measure(whole_ms, 1.0, is_stream=False)

    assert names(lowest_latency(candidates, 1.0)) == "ba"
    assert names(lowest_latency(candidates, 1.0, is_stream=False)) == "ab"
    places = ranked(
        [(one.model, standing) for one, standing in candidates],
        ESTIMATE,
        frozenset(),
        1.0,
        is_stream=False,
    )
    assert "300 ms to the answer (place 1)" in places[0].reason


def test_a_failure_of_the_unknown_counts_as_slow_until_it_is_stale() -> None:
    unknown, fast = Standing(), measured(100)
    unknown.fail(0.0)
    fast.fail(0.0)

    assert (unknown.latency(1.0), fast.latency(1.0)) == (FAILED_MS, 100.0)
    assert unknown.latency(1.0 + STALE_S) is None


def test_the_cheapest_is_first_and_the_unpriced_last() -> None:
    candidates = [a_candidate("a", dollars=None), a_candidate("b", dollars=2), a_candidate("c")]

    assert names(lowest_cost(candidates, ESTIMATE)) == "cba"
    assert names(lowest_cost(candidates, TokenEstimate(prompt=1))) == "cba"


def test_the_choice_among_all_weighs_price_and_latency_and_says_so() -> None:
    models = [
        (a_candidate("a", dollars=1).model, measured(300)),
        (a_candidate("b", dollars=2).model, measured(100)),
        (a_candidate("c", dollars=None).model, Standing()),
    ]

    places = ranked(models, ESTIMATE, frozenset({Capability.TOOLS}), 1.0)

    assert [place.model.name for place in places] == ["a", "b", "c"]
    assert places[0].reason == (
        "auto: of 3 the one at about $1.000000 (place 1), 300 ms to the first token (place 3),"
        " able: tools"
    )
    assert places[2].reason == (
        "auto: of 3 the one without a price (place 3), not measured yet (place 1), able: tools"
    )


@pytest.mark.parametrize("count", [1, 4])
def test_equal_models_are_taken_in_their_order(count: int) -> None:
    models = [(a_candidate(f"m{n}").model, Standing()) for n in range(count)]

    places = ranked(models, ESTIMATE, frozenset(), 0.0)

    assert [place.model for place in places] == [model for model, _ in models]
    assert "able" not in places[0].reason
