from datetime import timedelta
from decimal import Decimal

from domain.inference.call import Call, CallStatus
from domain.models.prices import Prices, PriceTier
from domain.shared.usage import Usage
from tests.builders import PRICES, a_call
from tests.fakes.clock import START

LATER = START + timedelta(seconds=2)
USAGE = Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=5)


def settled(call: Call, status: CallStatus, usage: Usage | None = None) -> Call:
    call.settle(status, at=LATER, latency_ms=2000.0, usage=usage, error_code=None)
    return call


def test_a_call_is_born_open() -> None:
    call = a_call()

    assert call.status is CallStatus.OPEN
    assert (call.settled_at, call.latency_ms, call.usage, call.cost) == (None,) * 4


def test_a_call_settles_with_its_outcome() -> None:
    call = a_call()

    call.settle(CallStatus.FAILED, at=LATER, latency_ms=2000.0, error_code="PROVIDER_ERROR")

    assert call.status is CallStatus.FAILED
    assert call.settled_at == LATER
    assert call.latency_ms == 2000.0
    assert call.error_code == "PROVIDER_ERROR"


def test_the_cost_follows_from_usage_and_price() -> None:
    call = settled(a_call(price=PRICES), CallStatus.SUCCEEDED, USAGE)

    assert call.usage == USAGE
    assert call.cost == Decimal("0.00007")


def test_a_call_that_failed_after_it_used_tokens_costs_them() -> None:
    call = settled(a_call(price=PRICES), CallStatus.FAILED, USAGE)

    assert call.cost == Decimal("0.00007")


def test_a_call_without_usage_has_no_cost() -> None:
    call = settled(a_call(price=PRICES), CallStatus.CANCELLED)

    assert call.cost is None


def test_a_call_of_an_unpriced_model_has_no_cost() -> None:
    call = settled(a_call(price=None), CallStatus.SUCCEEDED, USAGE)

    assert call.cost is None


def test_free_is_not_unpriced() -> None:
    free = Prices(input=Decimal(0), output=Decimal(0))

    call = settled(a_call(price=free), CallStatus.SUCCEEDED, USAGE)

    assert call.cost == 0


def test_a_settled_call_bears_the_prices_of_its_tier() -> None:
    dear = Prices(input=Decimal(2), output=Decimal(3))
    tiered = Prices(input=Decimal(1), output=Decimal(1), tiers=(PriceTier(above=1, prices=dear),))

    call = settled(a_call(price=tiered), CallStatus.SUCCEEDED, Usage(prompt_tokens=2))

    assert call.price == dear
    assert call.cost == dear.cost(Usage(prompt_tokens=2))
