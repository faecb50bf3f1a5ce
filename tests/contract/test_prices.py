"""What every store of prices has to keep."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.models.price_book import PostgresPriceBookMemory
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.models.pricing.ports import PriceBookMemory, PricingUnitOfWork
from domain.models.errors import PriceNotFoundError, PriceTakenError
from domain.models.price_override import PriceOverride
from domain.models.prices import Prices, PriceTier
from domain.shared.ids import PriceId
from tests.builders import KEY_ID, OTHER_TEAM_ID, TEAM_ID, USER_ID, a_team
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fakes.pricing import InMemoryPriceBookMemory, InMemoryPricingUnitOfWork
from tests.registry_builders import a_provider, a_registered_model

_numbers = count(4_000_000)
_NAMES = [name for name in Prices.__slots__ if name != "tiers"]


def a_price(**fields: Any) -> PriceOverride:
    defaults: dict[str, Any] = {
        "id": PriceId(uuid7_at(START, next(_numbers))),
        "team_id": TEAM_ID,
        "effective_from": START,
        "prices": Prices(input=Decimal(1), output=Decimal(2)),
        "created_at": START,
    }
    if "model_id" not in fields:
        defaults |= {"provider": "far", "upstream_name": "x/1"}
    return PriceOverride(**(defaults | fields))


@pytest.fixture
def memory_prices() -> PricingUnitOfWork:
    return InMemoryPricingUnitOfWork()


@pytest.fixture
async def postgres_prices(database_url: str) -> AsyncIterator[PricingUnitOfWork]:
    engine = make_engine(database_url, pool_size=2)
    uow = PostgresUnitOfWork(make_sessions(engine))
    async with uow as tx:
        await tx.teams.add(a_team())
        await tx.teams.add(a_team(id=OTHER_TEAM_ID))
        await tx.commit()
    yield uow
    await engine.dispose()


@pytest.fixture(params=["memory", "postgres"])
def uow(request: pytest.FixtureRequest) -> PricingUnitOfWork:
    uow: PricingUnitOfWork = request.getfixturevalue(f"{request.param}_prices")
    return uow


async def put(uow: PricingUnitOfWork, *prices: PriceOverride) -> None:
    async with uow as tx:
        for price in prices:
            await tx.prices.add(price)
        await tx.commit()


async def test_prices_come_back_as_they_were(uow: PricingUnitOfWork) -> None:
    amounts: dict[str, Any] = {name: Decimal(n) / 7 for n, name in enumerate(_NAMES, 1)}
    tiers = (
        PriceTier(above=200_000, prices=Prices(input=Decimal("1E-9"), output=Decimal("0.10"))),
        PriceTier(above=400_000, prices=Prices(**amounts)),
    )
    model = a_registered_model(a_provider())
    async with uow as tx:
        await tx.providers.add(a_provider(id=model.provider_id))
        await tx.models.add(model)
        await tx.commit()
    of_model = a_price(
        model_id=model.id,
        prices=Prices(**amounts, tiers=tiers),
        user_id=USER_ID,
        key_id=KEY_ID,
        effective_from=START + timedelta(microseconds=1),
    )
    of_file = a_price()

    await put(uow, of_file, of_model)

    async with uow as tx:
        assert await tx.prices.get(TEAM_ID, of_model.id) == of_model
        assert await tx.prices.get(TEAM_ID, of_file.id) == of_file
        assert list(await tx.prices.all(TEAM_ID)) == [of_model, of_file]


async def test_one_moment_has_one_price_of_a_model(uow: PricingUnitOfWork) -> None:
    await put(
        uow,
        a_price(),
        a_price(effective_from=START + timedelta(seconds=1)),
        a_price(upstream_name="x/2"),
        a_price(team_id=OTHER_TEAM_ID),
    )

    with pytest.raises(PriceTakenError):
        await put(uow, a_price())


async def test_a_price_is_found_in_its_team_only(uow: PricingUnitOfWork) -> None:
    price = a_price()
    await put(uow, price)

    async with uow as tx:
        assert list(await tx.prices.all(OTHER_TEAM_ID)) == []
        with pytest.raises(PriceNotFoundError):
            await tx.prices.get(OTHER_TEAM_ID, price.id)


async def test_what_is_removed_is_gone_once_it_is_committed(uow: PricingUnitOfWork) -> None:
    price = a_price()
    await put(uow, price)

    async with uow as tx:
        await tx.prices.remove(price)
    async with uow as tx:
        kept = await tx.prices.all(TEAM_ID)
        await tx.prices.remove(price)
        await tx.commit()
    async with uow as tx:
        left = await tx.prices.all(TEAM_ID)

    assert (list(kept), list(left)) == ([price], [])


@pytest.fixture
def memory_answers() -> PriceBookMemory:
    return InMemoryPriceBookMemory()


@pytest.fixture
async def postgres_answers(database_url: str) -> AsyncIterator[PriceBookMemory]:
    engine = make_engine(database_url, pool_size=2)
    yield PostgresPriceBookMemory(make_sessions(engine))
    await engine.dispose()


@pytest.fixture(params=["memory", "postgres"])
def memory(request: pytest.FixtureRequest) -> PriceBookMemory:
    memory: PriceBookMemory = request.getfixturevalue(f"{request.param}_answers")
    return memory


async def test_answers_of_the_book_are_kept_for_their_version(memory: PriceBookMemory) -> None:
    await memory.keep("book-1", {"a": {"b": ["1"]}, "c": None})
    await memory.keep("book-1", {"a": "another"})

    assert await memory.recall("book-1", ["a", "c", "d"]) == {"a": {"b": ["1"]}, "c": None}
    assert await memory.recall("book-2", ["a"]) == {}
