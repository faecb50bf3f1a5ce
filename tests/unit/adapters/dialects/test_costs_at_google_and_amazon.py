"""What answers cost at published prices, worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.dialects.bedrock.dialect import BedrockDialect
from adapters.dialects.google.dialect import GoogleDialect
from domain.models.prices import Prices
from tests.fakes.bedrock_wire import converse_answer
from tests.fakes.gemini_wire import answer_of, candidate
from tests.fakes.wire_failures import WireFailures

GEMINI_FLASH = Prices(
    input=Decimal("0.30"),
    cached_input=Decimal("0.03"),
    audio_input=Decimal("1.00"),
    output=Decimal("2.50"),
)
CLAUDE_SONNET = Prices(
    input=Decimal(3),
    cached_input=Decimal("0.30"),
    cache_write=Decimal("3.75"),
    cache_write_1h=Decimal(6),
    output=Decimal(15),
)


@pytest.mark.parametrize(
    ("metadata", "cost"),
    [
        # 1,000 x 0.30 + 500 x 2.50
        ({"promptTokenCount": 1000, "candidatesTokenCount": 500}, "0.00155"),
        # 200 x 0.30 + 800 x 0.03 + (500 + 1,500) x 2.50
        (
            {
                "promptTokenCount": 1000,
                "cachedContentTokenCount": 800,
                "candidatesTokenCount": 500,
                "thoughtsTokenCount": 1500,
            },
            "0.005084",
        ),
        # 100 x 0.30 + 900 x 1.00 + 10 x 2.50
        (
            {
                "promptTokenCount": 1000,
                "candidatesTokenCount": 10,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 100},
                    {"modality": "AUDIO", "tokenCount": 900},
                ],
            },
            "0.000955",
        ),
    ],
    ids=["plain", "cached-and-thought", "heard"],
)
def test_an_answer_of_gemini_costs_what_google_bills(metadata: dict[str, Any], cost: str) -> None:
    body = answer_of(candidate({"text": "x"}, finish="STOP"), usage=metadata)

    usage = GoogleDialect(WireFailures()).read_answer(body).usage

    assert usage is not None
    assert GEMINI_FLASH.cost(usage) == Decimal(cost)


@pytest.mark.parametrize(
    ("said", "cost"),
    [
        # 1,000 x 3 + 500 x 15
        ({"inputTokens": 1000, "outputTokens": 500}, "0.0105"),
        # 100 x 3 + 2,000 x 0.30 + 300 x 3.75 + 700 x 6 + 500 x 15
        (
            {
                "inputTokens": 100,
                "outputTokens": 500,
                "cacheReadInputTokens": 2000,
                "cacheWriteInputTokens": 1000,
                "cacheDetails": [
                    {"inputTokens": 700, "ttl": "1h"},
                    {"inputTokens": 300, "ttl": "5m"},
                ],
            },
            "0.013725",
        ),
    ],
    ids=["plain", "cached"],
)
def test_an_answer_of_claude_costs_what_amazon_bills(said: dict[str, Any], cost: str) -> None:
    body = converse_answer({"text": "x"}, usage=said)

    usage = BedrockDialect(WireFailures()).read_answer(body).usage

    assert usage is not None
    assert CLAUDE_SONNET.cost(usage) == Decimal(cost)
