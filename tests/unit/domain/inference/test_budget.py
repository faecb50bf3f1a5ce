from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.allowance import BudgetPeriod, BudgetTerms, Subject, SubjectKind
from domain.inference.budget import (
    TOKENS_PER_ATTACHMENT,
    UNKNOWN_OUTPUT_TOKENS,
    Budget,
    CallSize,
    Hold,
    exhausted,
)
from domain.models.prices import MILLION, Prices, PriceTier
from domain.models.served_model import ModelKind
from domain.shared.errors import BudgetExhaustedError
from domain.shared.usage import Usage
from tests.builders import KEY_ID, TEAM_ID, USER_ID, a_call, a_model
from tests.fakes.clock import START

DOLLAR_PER_TOKEN = Prices(input=Decimal(1_000_000), output=Decimal(1_000_000))


def a_budget(amount: int | str = 10, **fields: Any) -> Budget:
    terms = BudgetTerms(
        amount=Decimal(amount), period=BudgetPeriod.MONTH, hard=fields.pop("hard", True)
    )
    subject = Subject(SubjectKind.KEY, KEY_ID)
    return Budget(subject=subject, terms=terms, starts_at=START, **fields)


def worst(size: CallSize, **fields: Any) -> Decimal | None:
    return size.worst_cost(a_model(**({"prices": DOLLAR_PER_TOKEN} | fields)))


def test_every_byte_may_be_a_token_and_every_answer_as_long_as_allowed() -> None:
    assert worst(CallSize(body_bytes=100, max_output=10, choices=3)) == 100 + 30


def test_a_ranking_may_be_billed_as_several() -> None:
    prices = Prices(input=Decimal(0), output=Decimal(0), request=Decimal(2))
    size = CallSize(body_bytes=100, expected=Usage(searches=3))

    assert worst(size, kind=ModelKind.RERANK, prices=prices) == 6
    assert worst(CallSize(body_bytes=1), kind=ModelKind.RERANK, prices=prices) == 2


def test_without_a_limit_an_answer_may_fill_the_context() -> None:
    assert worst(CallSize(body_bytes=100), context_length=1000) == 100 + 1000
    assert worst(CallSize(body_bytes=100)) == 100 + UNKNOWN_OUTPUT_TOKENS


def test_a_prompt_is_never_longer_than_the_context() -> None:
    assert worst(CallSize(body_bytes=10**6, max_output=1), context_length=1000) == 1001


def test_an_attachment_counts_more_than_its_bytes() -> None:
    found = worst(CallSize(body_bytes=100, attachments=2, max_output=1))

    assert found == 100 + 2 * TOKENS_PER_ATTACHMENT + 1


def test_an_embedding_has_no_output() -> None:
    size = CallSize(body_bytes=100, max_output=50)

    assert worst(size, kind=ModelKind.EMBEDDING, context_length=10) == 100


def test_the_dearer_price_of_the_input_counts() -> None:
    prices = Prices(input=Decimal(1), output=Decimal(0), cached_input=Decimal(2_000_000))

    assert worst(CallSize(body_bytes=10, max_output=1), prices=prices) == 20


def test_without_a_price_nobody_knows() -> None:
    assert worst(CallSize(body_bytes=10), prices=None) is None


@given(st.integers(0, 500), st.integers(0, 100), st.integers(0, 100))
def test_no_usage_within_the_bounds_costs_more(prompt: int, cached: int, output: int) -> None:
    call = a_call()
    assert call.price is not None
    size = CallSize(body_bytes=500, max_output=100)

    from_bounds = size.worst_cost(a_model())

    assert from_bounds is not None
    used = call.price.input * prompt + call.price.output * output
    assert used / 1_000_000 <= from_bounds
    assert cached >= 0


def test_a_hard_budget_holds_what_fits_and_refuses_what_does_not() -> None:
    budget = a_budget(10, settled=Decimal(4)).hold(Decimal(6))

    assert (budget.held, budget.remaining) == (Decimal(6), Decimal(0))
    with pytest.raises(BudgetExhaustedError, match=r"\$10 per month, of which \$0 is left"):
        budget.hold(Decimal("0.01"))


def test_a_soft_budget_refuses_nothing() -> None:
    budget = a_budget(1, hard=False).hold(Decimal(5))

    assert (budget.held, budget.remaining) == (Decimal(5), Decimal(0))


def test_what_is_given_back_can_be_held_again() -> None:
    budget = a_budget(10).hold(Decimal(10)).give_back(Decimal(10))

    assert budget.hold(Decimal(10)).held == 10


@pytest.mark.parametrize(
    ("settled", "cost", "crossed"),
    [
        ("0", "4.99", ()),
        ("0", "5", (50,)),
        ("4", "5", (50, 80, 90)),
        ("9", "1", (100,)),
        ("0", "20", (50, 80, 90, 100)),
    ],
)
def test_a_charge_reaches_thresholds(settled: str, cost: str, crossed: tuple[int, ...]) -> None:
    before, _ = a_budget(10).charge(Decimal(settled))

    after, found = before.charge(Decimal(cost))

    assert found == crossed
    assert after.settled == Decimal(settled) + Decimal(cost)


def test_a_threshold_is_told_of_once() -> None:
    budget, _ = a_budget(10).charge(Decimal(9))
    corrected, nothing = budget.charge(Decimal(-5))

    again, found = corrected.charge(Decimal(5))

    assert (nothing, found) == ((), ())
    assert again.settled == 9


def test_nothing_spent_is_no_threshold_of_a_budget_of_nothing() -> None:
    budget, at_first = a_budget(0).charge(Decimal(0))

    _, then = budget.charge(Decimal("0.1"))

    assert (at_first, then) == ((), (50, 80, 90, 100))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SubjectKind.TEAM, "your team"),
        (SubjectKind.USER, "your user"),
        (SubjectKind.KEY, "this API key"),
    ],
)
def test_a_refusal_says_whose_budget_it_is(kind: SubjectKind, words: str) -> None:
    terms = BudgetTerms(amount=Decimal("2.5"), period=BudgetPeriod.TOTAL)
    budget = Budget(subject=Subject(kind, KEY_ID), terms=terms, starts_at=None)

    message = exhausted(budget, Decimal(3)).message

    assert f"the budget of {words} is $2.5 in total" in message
    assert "may cost up to $3." in message


def test_a_hold_concerns_the_team_the_user_and_the_key() -> None:
    fields: dict[str, Any] = {
        "call_id": a_call().id,
        "team_id": TEAM_ID,
        "amount": Decimal(1),
        "at": START,
    }

    of_key = Hold(user_id=USER_ID, key_id=KEY_ID, **fields)
    of_nobody = Hold(user_id=None, key_id=None, **fields)

    assert [subject.kind for subject in of_key.subjects] == list(SubjectKind)
    assert of_nobody.subjects == (Subject(SubjectKind.TEAM, TEAM_ID),)


def test_what_a_request_says_of_itself_bounds_what_is_not_tokens() -> None:
    prices = Prices(
        input=Decimal(MILLION),
        output=Decimal(0),
        image=Decimal(2),
        character=Decimal(MILLION),
        second=Decimal(1),
    )
    said = Usage(images=3, characters=7, seconds=Decimal(5))
    size = CallSize(body_bytes=1000, prompt_bytes=10, expected=said, max_output=1)

    assert worst(size, prices=prices) == 10 + 3 * 2 + 7 + 5
    assert worst(replace(size, expected=Usage()), prices=prices) == 10 + 2 + 1000 + 2


def test_a_tier_that_the_prompt_may_reach_counts() -> None:
    dear = Prices(input=Decimal(2_000_000), output=Decimal(3_000_000))
    prices = replace(DOLLAR_PER_TOKEN, tiers=(PriceTier(above=100, prices=dear),))

    assert worst(CallSize(body_bytes=100, max_output=10), prices=prices) == 100 + 10
    assert worst(CallSize(body_bytes=101, max_output=10), prices=prices) == 2 * 101 + 3 * 10
