"""What a call costs as each style of provider bills it, computed by hand from their price lists."""

from decimal import Decimal

import pytest

from domain.models.prices import Prices, PriceTier
from domain.shared.usage import Usage

OPENAI = Prices(input=Decimal("2.5"), output=Decimal(10), cached_input=Decimal("1.25"))
ANTHROPIC = Prices(
    input=Decimal(3),
    output=Decimal(15),
    cached_input=Decimal("0.3"),
    cache_write=Decimal("3.75"),
    cache_write_1h=Decimal(6),
)
GEMINI = Prices(
    input=Decimal("1.25"),
    output=Decimal(10),
    cached_input=Decimal("0.125"),
    tiers=(
        PriceTier(
            above=200_000,
            prices=Prices(input=Decimal("2.5"), output=Decimal(15), cached_input=Decimal("0.25")),
        ),
    ),
)
QWEN = Prices(input=Decimal("0.4"), output=Decimal("1.2"), reasoning=Decimal(4))
AUDIO = Prices(
    input=Decimal("2.5"), output=Decimal(10), audio_input=Decimal(40), audio_output=Decimal(80)
)
WHISPER = Prices(input=Decimal(0), output=Decimal(0), second=Decimal("0.0001"))
TTS = Prices(input=Decimal(0), output=Decimal(0), character=Decimal(15))
RERANK = Prices(input=Decimal(0), output=Decimal(0), request=Decimal("0.002"))


@pytest.mark.parametrize(
    ("prices", "usage", "cost"),
    [
        pytest.param(
            # 72 fresh * 2.5 + 1,920 cached * 1.25 + 300 * 10
            OPENAI,
            Usage(
                prompt_tokens=1_992,
                cached_tokens=1_920,
                completion_tokens=300,
                reasoning_tokens=256,
            ),
            "0.00558",
            id="openai, cached inside the prompt",
        ),
        pytest.param(
            # 50 fresh * 3 + 10,000 read * 0.3 + 2,000 written * 3.75 + 503 * 15
            ANTHROPIC,
            Usage(
                prompt_tokens=12_050,
                cached_tokens=10_000,
                cache_write_tokens=2_000,
                completion_tokens=503,
            ),
            "0.018195",
            id="anthropic, read and written beside the input",
        ),
        pytest.param(
            # 50 * 3 + 1,500 * 3.75 + 500 * 6 + 1 * 15
            ANTHROPIC,
            Usage(
                prompt_tokens=2_050,
                cache_write_tokens=2_000,
                cache_write_1h_tokens=500,
                completion_tokens=1,
            ),
            "0.00879",
            id="anthropic, written for an hour",
        ),
        pytest.param(
            # 200,000 * 1.25 + 1,000 * 10
            GEMINI,
            Usage(prompt_tokens=200_000, completion_tokens=1_000),
            "0.26",
            id="gemini, at the edge",
        ),
        pytest.param(
            # 100,001 * 2.5 + 100,000 * 0.25 + 1,000 * 15
            GEMINI,
            Usage(prompt_tokens=200_001, cached_tokens=100_000, completion_tokens=1_000),
            "0.2900025",
            id="gemini, one token above the edge bills all at the tier",
        ),
        pytest.param(
            # 100 * 0.4 + 20 said * 1.2 + 80 thought * 4
            QWEN,
            Usage(prompt_tokens=100, completion_tokens=100, reasoning_tokens=80),
            "0.000384",
            id="reasoning at its own price",
        ),
        pytest.param(
            # 10 * 2.5 + 90 * 40 + 5 * 10 + 45 * 80
            AUDIO,
            Usage(
                prompt_tokens=100,
                audio_input_tokens=90,
                completion_tokens=50,
                audio_output_tokens=45,
            ),
            "0.007275",
            id="audio tokens",
        ),
        pytest.param(WHISPER, Usage(seconds=Decimal("61.5")), "0.00615", id="seconds of audio"),
        pytest.param(TTS, Usage(characters=1_234), "0.01851", id="characters"),
        pytest.param(RERANK, Usage(prompt_tokens=900), "0.002", id="each request"),
    ],
)
def test_costs_what_the_provider_bills(prices: Prices, usage: Usage, cost: str) -> None:
    assert prices.cost(usage) == Decimal(cost)


def test_tiers_stand_in_the_order_of_their_sizes() -> None:
    small, large = (
        PriceTier(above=n, prices=Prices(input=Decimal(n), output=Decimal(n))) for n in (1, 9)
    )

    prices = Prices(input=Decimal(0), output=Decimal(0), tiers=(large, small))

    assert [tier.above for tier in prices.tiers] == [1, 9]
    assert prices.at(10) is large.prices
    assert prices.at(9) is small.prices
    assert prices.at(1) == Prices(input=Decimal(0), output=Decimal(0))


def test_prices_without_tiers_are_those_of_every_prompt() -> None:
    assert OPENAI.at(10**9) is OPENAI


def test_more_may_not_be_written_to_a_cache_than_was_sent() -> None:
    confused = Usage(prompt_tokens=10, cached_tokens=4, cache_write_tokens=90)

    cheap = Prices(input=Decimal(9), output=Decimal(0), cache_write=Decimal(1))

    assert confused.cache_write_tokens == 6
    assert cheap.cost(confused) == (4 * 9 + 6 * 1) / Decimal(1_000_000)
