"""What answers cost at published prices, worked out by hand."""

from decimal import Decimal

import msgspec
import pytest

from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from adapters.providers.failures.mapping import ErrorMapping
from adapters.providers.failures.openai import openai_failure
from adapters.providers.openai_compatible.request import UpstreamBody
from adapters.providers.openai_compatible.responses.answer import whole_response
from domain.models.prices import Prices

GPT_5 = Prices(
    input=Decimal("1.25"), cached_input=Decimal("0.125"), output=Decimal(10), cache_write=Decimal(2)
)


@pytest.mark.parametrize(
    ("counts", "cost"),
    [
        # 1,000 x 1.25 + 500 x 10
        ((1000, 0, 0, 500, 0), "0.00625"),
        # 200 x 1.25 + 800 x 0.125 + 2,000 x 10, of which 1,500 are thoughts
        ((1000, 800, 0, 2000, 1500), "0.02035"),
        # 300 x 1.25 + 600 x 0.125 + 100 x 2 + 10 x 10
        ((1000, 600, 100, 10, 0), "0.00075"),
    ],
    ids=["plain", "cached-and-thought", "written-to-the-cache"],
)
def test_a_response_costs_what_openai_bills(counts: tuple[int, ...], cost: str) -> None:
    asked, cached, written, said, thought = counts
    usage = {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": asked + said,
    }
    body = msgspec.json.encode({"status": "completed", "output": [], "usage": usage})

    translated = OpenAIResponsesDialect().read_answer(body)
    passed = whole_response(
        body, UpstreamBody(b"", "m", 0), None, ErrorMapping("acme", (), openai_failure)
    )

    assert translated.usage is not None
    assert GPT_5.cost(translated.usage) == Decimal(cost)
    assert passed.usage == translated.usage
