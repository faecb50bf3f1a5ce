from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from application.models.pricing.list_prices import ListSetPrices, ListSetPricesQuery
from application.models.pricing.remove_price import RemovePrice, RemovePriceCommand
from application.models.pricing.set_price import SetPrice, SetPriceCommand
from application.shared.actor import Actor
from application.shared.auditing import Auditor
from domain.identity.permissions import ALL_PERMISSIONS, Permission, Role, permissions_of
from domain.models.errors import ModelNotFoundError, PriceNotFoundError, PriceTakenError
from domain.models.price_override import PriceOverride
from domain.models.prices import Prices, PriceTier
from domain.models.registry.errors import ModelNotRegisteredError
from domain.shared.errors import ForbiddenError, InvalidError
from domain.shared.ids import ModelId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_model
from tests.fakes.clock import START, FrozenClock
from tests.fakes.ids import SequentialIds, uuid7_at
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.pricing import InMemoryPricingUnitOfWork
from tests.fakes.registry import RecordingLiveRegistry
from tests.registry_builders import a_provider, a_registered_model

OPERATOR = Actor(team_id=TEAM_ID, permissions=ALL_PERMISSIONS)
ADMIN = Actor(team_id=TEAM_ID, permissions=permissions_of(Role.ADMIN))
MEMBER = Actor(team_id=TEAM_ID, permissions=permissions_of(Role.MEMBER))
PRICES = Prices(input=Decimal("1.5"), output=Decimal(6))
NO_ID = ModelId(uuid7_at(START, 7))


@dataclass
class Scene:
    uow: InMemoryPricingUnitOfWork = field(default_factory=InMemoryPricingUnitOfWork)
    clock: FrozenClock = field(default_factory=FrozenClock)
    live: RecordingLiveRegistry = field(default_factory=RecordingLiveRegistry)
    ids: SequentialIds = field(default_factory=SequentialIds)
    model_id: ModelId = NO_ID

    def __post_init__(self) -> None:
        self.catalog = InMemoryModelCatalog(
            a_model(name="of/file", provider="far", upstream_name="x/1"),
            a_model(name="theirs", owner=OTHER_TEAM_ID),
        )
        self.auditor = Auditor(clock=self.clock, ids=self.ids)
        self.remove = RemovePrice(uow=self.uow, live=self.live, auditor=self.auditor)
        self.list = ListSetPrices(uow=self.uow, catalog=self.catalog)

    async def with_model(self) -> "Scene":
        provider = a_provider()
        model = a_registered_model(provider)
        async with self.uow as tx:
            await tx.providers.add(provider)
            await tx.models.add(model)
            await tx.commit()
        self.model_id = model.id
        return self

    async def set(
        self, which: ModelId | str, actor: Actor = OPERATOR, **fields: Any
    ) -> PriceOverride:
        use_case = SetPrice(
            uow=self.uow,
            catalog=self.catalog,
            live=self.live,
            auditor=self.auditor,
            clock=self.clock,
            ids=self.ids,
        )
        prices = fields.pop("prices", PRICES)
        return await use_case(SetPriceCommand(actor=actor, which=which, prices=prices, **fields))


@pytest.fixture
async def scene() -> Scene:
    return await Scene().with_model()


async def test_sets_the_price_of_a_model_of_the_registry_by_name_or_id(scene: Scene) -> None:
    first = await scene.set("large", ADMIN)
    second = await scene.set(scene.model_id, ADMIN, effective_from=START + timedelta(days=1))

    found = await scene.list(ListSetPricesQuery(actor=ADMIN, which="large"))

    assert found == (second, first)
    assert (first.model_id, first.effective_from, first.provider) == (scene.model_id, START, None)
    assert scene.live.caught_up == [TEAM_ID, TEAM_ID]


async def test_every_price_is_on_record(scene: Scene) -> None:
    tiers = (PriceTier(above=9, prices=Prices(input=Decimal(3), output=Decimal("1E-7"))),)
    price = await scene.set("large", prices=replace(PRICES, tiers=tiers))

    await scene.remove(RemovePriceCommand(actor=ADMIN, price_id=price.id))

    set_, removed = scene.uow.committed.audit
    assert (set_.action, removed.action) == ("price.set", "price.removed")
    assert set_.after == removed.before
    assert set_.after == {
        "model": "large",
        "effective_from": START.isoformat(),
        "input_price": "1.5",
        "output_price": "6",
        "tiers": [{"above": 9, "input_price": "3", "output_price": "0.0000001"}],
    }
    assert await scene.list(ListSetPricesQuery(actor=ADMIN)) == ()


async def test_prices_of_the_configuration_are_the_operators(scene: Scene) -> None:
    with pytest.raises(ForbiddenError, match=r"server\.manage"):
        await scene.set("of/file", ADMIN)

    price = await scene.set("of/file")

    assert (price.provider, price.upstream_name, price.model_id) == ("far", "x/1", None)
    with pytest.raises(ForbiddenError, match=r"server\.manage"):
        await scene.remove(RemovePriceCommand(actor=ADMIN, price_id=price.id))
    await scene.remove(RemovePriceCommand(actor=OPERATOR, price_id=price.id))
    assert scene.uow.committed_prices == {}


@pytest.mark.parametrize("which", ["theirs", "nowhere"])
async def test_only_its_owner_prices_a_model(scene: Scene, which: str) -> None:
    with pytest.raises(ModelNotFoundError):
        await scene.set(which)


async def test_an_id_that_the_registry_has_not_is_not_found(scene: Scene) -> None:
    with pytest.raises(ModelNotRegisteredError):
        await scene.set(NO_ID)


async def test_members_set_and_remove_nothing(scene: Scene) -> None:
    price = await scene.set("large")

    with pytest.raises(ForbiddenError):
        await scene.set("large", MEMBER)
    with pytest.raises(ForbiddenError):
        await scene.remove(RemovePriceCommand(actor=MEMBER, price_id=price.id))

    assert scene.uow.committed_prices == {price.id: price}


async def test_one_moment_has_one_price(scene: Scene) -> None:
    await scene.set("large")

    with pytest.raises(PriceTakenError):
        await scene.set("large", prices=replace(PRICES, input=Decimal(9)))


async def test_another_teams_price_is_not_there(scene: Scene) -> None:
    price = await scene.set("large")
    stranger = replace(OPERATOR, team_id=OTHER_TEAM_ID)

    with pytest.raises(PriceNotFoundError):
        await scene.remove(RemovePriceCommand(actor=stranger, price_id=price.id))
    with pytest.raises(PriceNotFoundError):
        await scene.remove(RemovePriceCommand(actor=ADMIN, price_id=price.id, of=NO_ID))

    assert await scene.list(ListSetPricesQuery(actor=stranger)) == ()


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input": Decimal(-1)}, "input"),
        ({"second": Decimal("NaN")}, "second"),
        ({"image": Decimal("Infinity")}, "image"),
        ({"request": Decimal("1e-40")}, "request"),
        ({"output": Decimal("1e9")}, "output"),
        ({"tiers": (PriceTier(above=0, prices=PRICES),)}, "tiers.0.above"),
        ({"tiers": (PriceTier(above=10**13, prices=PRICES),)}, "tiers.0.above"),
        ({"tiers": (PriceTier(above=1, prices=PRICES),) * 2}, "tiers"),
        ({"tiers": tuple(PriceTier(above=n + 1, prices=PRICES) for n in range(21))}, "tiers"),
        (
            {"tiers": (PriceTier(above=5, prices=replace(PRICES, output=Decimal(-2))),)},
            "tiers.0.output",
        ),
    ],
)
async def test_what_is_no_price_is_refused(
    scene: Scene, change: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        await scene.set("large", prices=replace(PRICES, **change))

    assert caught.value.param == param


async def test_a_moment_that_no_record_can_have_is_refused(scene: Scene) -> None:
    with pytest.raises(InvalidError, match="effective_from"):
        await scene.set("large", effective_from=datetime(1, 1, 1, tzinfo=UTC))


async def test_who_sees_calls_sees_prices(scene: Scene) -> None:
    price = await scene.set("of/file")
    nobody = replace(MEMBER, permissions=frozenset({Permission.INVOKE_MODELS}))
    other = replace(MEMBER, allowed_models=("large",))

    assert await scene.list(ListSetPricesQuery(actor=MEMBER, which="of/file")) == (price,)
    with pytest.raises(ModelNotFoundError):
        await scene.list(ListSetPricesQuery(actor=other, which="of/file"))
    with pytest.raises(ForbiddenError):
        await scene.list(ListSetPricesQuery(actor=nobody))
