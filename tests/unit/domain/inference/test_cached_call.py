from decimal import Decimal

import pytest

from domain.inference.call import CacheUse, CallStatus
from domain.shared.usage import Usage
from tests.builders import a_call
from tests.fakes.clock import START

USAGE = Usage(prompt_tokens=10)


@pytest.mark.parametrize("cache", [CacheUse.HIT, CacheUse.SEMANTIC])
def test_an_answer_out_of_the_cache_costs_nothing(cache: CacheUse) -> None:
    call = a_call(cache=cache)

    call.settle(CallStatus.SUCCEEDED, at=START, latency_ms=1.0, usage=USAGE)

    assert call.cost == Decimal(0)


@pytest.mark.parametrize("cache", [CacheUse.MISS, CacheUse.BYPASS, None])
def test_an_answer_of_a_provider_has_its_price(cache: CacheUse | None) -> None:
    call = a_call(cache=cache)

    call.settle(CallStatus.SUCCEEDED, at=START, latency_ms=1.0, usage=USAGE)

    assert call.cost
