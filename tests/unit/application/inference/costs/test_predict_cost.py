from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from application.inference.costs.predict_cost import (
    CostPrediction,
    PredictCost,
    PredictCostQuery,
)
from domain.identity.permissions import Permission
from domain.models.errors import ModelNotFoundError
from domain.models.prices import Prices, PriceTier
from domain.models.route import Route, Target
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.errors import ForbiddenError, InvalidError
from tests.builders import a_model, an_actor
from tests.fakes.clock import FrozenClock
from tests.fakes.data_plane import DataPlane
from tests.fakes.inference import InMemoryLedger
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.providers import ScriptedModelProviders
from tests.fakes.runtime_settings import InMemoryRuntimeSettings

NOTHING = Decimal(0)
DOLLAR = Prices(input=Decimal(1_000_000), output=Decimal(1_000_000))


async def predict(*entries: ServedModel | Route, **fields: Any) -> tuple[CostPrediction, ...]:
    models = [one for one in entries if isinstance(one, ServedModel)]
    routes = [one for one in entries if isinstance(one, Route)]
    catalog = InMemoryModelCatalog(*models, routes=routes)
    plane = DataPlane(
        clock=FrozenClock(),
        ledger=InMemoryLedger(),
        settings=InMemoryRuntimeSettings(),
        catalog=catalog,
        providers=ScriptedModelProviders(),
    )
    use_case = PredictCost(planner=plane.planner, catalog=catalog)
    defaults: dict[str, Any] = {"actor": an_actor(), "model": entries[-1].name}
    return await use_case(PredictCostQuery(**(defaults | fields)))


def costs(prediction: CostPrediction) -> tuple[object, ...]:
    return prediction.low, prediction.expected, prediction.worst


async def test_an_answer_may_be_short_usual_or_as_long_as_allowed() -> None:
    [found] = await predict(a_model(prices=DOLLAR), input_tokens=100, max_output_tokens=1000, n=2)

    assert costs(found) == (100 + 2, 100 + 2 * 256, 100 + 2 * 1000)


async def test_a_cached_prompt_is_the_least_and_a_tier_counts() -> None:
    tier = PriceTier(above=100, prices=replace(DOLLAR, input=Decimal(3_000_000)))
    prices = replace(DOLLAR, cached_input=Decimal(500_000), tiers=(tier,))

    [below] = await predict(a_model(prices=prices), input_tokens=100, max_output_tokens=1)
    [above] = await predict(a_model(prices=prices), input_tokens=101, max_output_tokens=1)

    assert costs(below) == (50 + 1, 100 + 1, 100 + 1)
    assert costs(above) == (303 + 1, 303 + 1, 303 + 1)


async def test_a_text_is_measured_in_characters() -> None:
    model = a_model(prices=DOLLAR, kind=ModelKind.EMBEDDING)

    [found] = await predict(model, input_characters=10)

    assert costs(found) == (3, 3, 40)


@pytest.mark.parametrize(
    ("kind", "prices", "fields", "cost"),
    [
        (ModelKind.IMAGE, {"image": Decimal(2)}, {"input_tokens": 5, "n": 3}, 6),
        (ModelKind.SPEECH, {"character": Decimal(1_000_000)}, {"input_characters": 7}, 7),
        (ModelKind.SPEECH, {"character": Decimal(1_000_000)}, {"input_tokens": 2}, 8),
        (ModelKind.TRANSCRIPTION, {"second": Decimal(2)}, {"seconds": Decimal(5)}, 10),
    ],
)
async def test_what_is_not_tokens_is_predicted_too(
    kind: ModelKind, prices: dict[str, Any], fields: dict[str, Any], cost: int
) -> None:
    model = a_model(kind=kind, prices=Prices(input=NOTHING, output=NOTHING, **prices))

    [found] = await predict(model, **fields)

    assert costs(found) == (cost, cost, cost)


async def test_tokens_of_speech_cannot_be_foreseen() -> None:
    [found] = await predict(a_model(kind=ModelKind.SPEECH, prices=DOLLAR), input_characters=4)

    assert (found.low, found.expected) == (None, None)
    assert found.worst is not None


async def test_every_deployment_that_may_answer_is_told_once_and_what_is_unknown() -> None:
    first, second = a_model(name="a", prices=DOLLAR), a_model(name="b", prices=None)
    targets = (Target(model="a"), Target(model="b"))
    route = Route(name="r", kind=ModelKind.CHAT, targets=targets, fallbacks=("a",))

    found = await predict(first, second, route, input_tokens=1, max_output_tokens=1)

    assert [one.model.name for one in found] == ["a", "b"]
    assert costs(found[1]) == (None, None, None)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "input_tokens"),
        ({"input_tokens": 1, "input_characters": 1}, "input_tokens"),
        ({"input_tokens": -1}, "input_tokens"),
        ({"input_characters": 10**9}, "input_characters"),
        ({"input_tokens": 1, "max_output_tokens": 0}, "max_output_tokens"),
        ({"input_tokens": 1, "n": 129}, "n"),
        ({"seconds": Decimal(-1)}, "seconds"),
        ({"seconds": Decimal("NaN")}, "seconds"),
        ({"seconds": Decimal("sNaN")}, "seconds"),
        ({"seconds": Decimal("Infinity")}, "seconds"),
        ({"seconds": Decimal("1e-400000")}, "seconds"),
    ],
)
async def test_what_is_no_call_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidError) as caught:
        await predict(a_model(), **fields)

    assert caught.value.param == param


async def test_who_may_not_call_learns_no_cost() -> None:
    reader = an_actor(permissions=frozenset({Permission.READ_CALLS}))

    with pytest.raises(ForbiddenError):
        await predict(a_model(), actor=reader, input_tokens=1)
    with pytest.raises(ModelNotFoundError):
        await predict(a_model(), model="nobody", input_tokens=1)
