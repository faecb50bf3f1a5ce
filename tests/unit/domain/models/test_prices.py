from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.models.prices import FREE, MILLION, Prices
from domain.shared.usage import Usage

dollars = st.decimals(min_value=0, max_value=10_000, places=6)
prices = st.builds(
    Prices, input=dollars, output=dollars, cached_input=st.one_of(st.none(), dollars)
)
tokens = st.integers(min_value=0, max_value=100_000_000)
usages = st.builds(
    Usage,
    prompt_tokens=tokens,
    cached_tokens=tokens,
    completion_tokens=tokens,
    reasoning_tokens=tokens,
)
OF_TOKENS = (
    "input",
    "output",
    "cached_input",
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "audio_input",
    "audio_output",
)
any_count = st.integers(min_value=-100, max_value=10_000)
reported = st.builds(
    Usage,
    **dict.fromkeys(
        (
            "prompt_tokens",
            "cached_tokens",
            "cache_write_tokens",
            "cache_write_1h_tokens",
            "audio_input_tokens",
            "completion_tokens",
            "reasoning_tokens",
            "audio_output_tokens",
        ),
        any_count,
    ),
)


def test_a_call_costs_its_fresh_cached_and_answered_tokens() -> None:
    price = Prices(input=Decimal("2.5"), output=Decimal(10), cached_input=Decimal("1.25"))
    usage = Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=5)

    cost = price.cost(usage)

    assert cost == Decimal("0.00007")


def test_cached_tokens_cost_like_any_other_without_a_price_of_their_own() -> None:
    price = Prices(input=Decimal(3), output=Decimal(0))

    assert price.cost(Usage(prompt_tokens=10, cached_tokens=4)) == Decimal("0.00003")


def test_cached_tokens_can_be_free() -> None:
    price = Prices(input=Decimal(3), output=Decimal(0), cached_input=Decimal(0))

    assert price.cost(Usage(prompt_tokens=10, cached_tokens=4)) == Decimal("0.000018")


def test_reasoning_tokens_are_not_charged_twice() -> None:
    price = Prices(input=Decimal(1), output=Decimal(1))

    thinking = price.cost(Usage(completion_tokens=5, reasoning_tokens=5))

    assert thinking == price.cost(Usage(completion_tokens=5))


def test_tenths_add_up() -> None:
    price = Prices(input=Decimal("0.1"), output=Decimal("0.2"))

    assert price.cost(Usage(prompt_tokens=1, completion_tokens=1)) == Decimal("0.0000003")


@given(prices, usages)
def test_a_cost_is_never_negative(price: Prices, usage: Usage) -> None:
    assert price.cost(usage) >= 0


@given(st.builds(Prices, **dict.fromkeys(OF_TOKENS, dollars)), reported)
def test_no_cost_is_negative_whatever_a_provider_reports(price: Prices, usage: Usage) -> None:
    assert price.cost(usage) >= 0


@given(st.builds(Prices, **dict.fromkeys(OF_TOKENS, dollars)), reported)
def test_no_prompt_is_dearer_than_the_dearest_of_its_tokens(price: Prices, usage: Usage) -> None:
    answer = usage.completion_tokens * price.dearest_output
    prompt = usage.prompt_tokens * price.dearest_input

    assert price.cost(replace(usage, audio_input_tokens=0)) * MILLION <= prompt + answer


@given(prices, usages, usages)
def test_costs_are_additive(price: Prices, one: Usage, other: Usage) -> None:
    together = Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
    )

    assert price.cost(one) + price.cost(other) == price.cost(together)


@given(prices, usages)
def test_a_cost_is_exact(price: Prices, usage: Usage) -> None:
    cached_price = price.input if price.cached_input is None else price.cached_input
    exact = (
        (usage.prompt_tokens - usage.cached_tokens) * Fraction(price.input)
        + usage.cached_tokens * Fraction(cached_price)
        + usage.completion_tokens * Fraction(price.output)
    ) / 1_000_000

    assert Fraction(price.cost(usage)) == exact


BY_TOKENS = Prices(input=Decimal("0.6"), output=Decimal(12))
HEARD_AND_SAID = Usage(
    prompt_tokens=5_000_000,
    audio_input_tokens=5_000_000,
    completion_tokens=5_000_000,
    audio_output_tokens=5_000_000,
)


@pytest.mark.parametrize(
    "usage",
    [
        Usage(prompt_tokens=250, characters=1000, counted=True),
        Usage(prompt_tokens=10, images=1, counted=True),
        Usage(seconds=Decimal(60)),
        Usage(prompt_tokens=100, audio_input_tokens=90),
        Usage(prompt_tokens=10, completion_tokens=50, audio_output_tokens=45),
        Usage(prompt_tokens=10, searches=1),
    ],
    ids=["speech", "image", "recording", "heard", "said", "searches"],
)
def test_what_is_billed_by_tokens_that_nobody_counted_has_no_cost_that_could_be_told(
    usage: Usage,
) -> None:
    assert BY_TOKENS.bill(usage) is None


@pytest.mark.parametrize(
    ("prices", "usage", "bill"),
    [
        (BY_TOKENS, Usage(prompt_tokens=10, completion_tokens=100, characters=40), "0.001206"),
        (BY_TOKENS, Usage(prompt_tokens=10, completion_tokens=100, images=1), "0.001206"),
        (BY_TOKENS, Usage(prompt_tokens=10, seconds=Decimal(60)), "0.000006"),
        (replace(BY_TOKENS, character=Decimal(15)), Usage(characters=1000), "0.015"),
        (FREE, Usage(characters=1000, images=1, seconds=Decimal(60)), "0"),
        (replace(FREE, second=Decimal(1)), Usage(seconds=Decimal(60)), "60"),
        (FREE, HEARD_AND_SAID, "0"),
        (replace(BY_TOKENS, audio_input=Decimal(1), audio_output=Decimal(2)), HEARD_AND_SAID, "15"),
        (replace(FREE, request=Decimal(2)), Usage(prompt_tokens=9, searches=3), "6"),
    ],
    ids=[
        *("speech", "image", "recording", "characters", "free", "seconds"),
        *("free audio", "audio", "searches"),
    ],
)
def test_what_can_be_told_is_billed(prices: Prices, usage: Usage, bill: str) -> None:
    assert prices.bill(usage) == Decimal(bill)
