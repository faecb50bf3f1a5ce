"""How soon and how surely every node serves what the registries have."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import asyncpg
import pytest

from adapters.catalog.registered import RegisteredConfigurations
from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.models.live_catalog import PostgresModelCatalog
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from application.models.pricing.live_prices import LivePrices
from domain.models.price_override import PriceOverride
from domain.models.prices import Prices, PriceTier
from domain.models.registry.model import Model, ModelState, Visibility
from domain.models.registry.provider import Provider
from domain.models.served_model import ServedModel
from domain.shared.ids import PriceId, TeamId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_model
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.pricing import FixedPriceBook
from tests.fakes.registry import RecordingFollower
from tests.fixtures.patience import PATIENCE_S
from tests.registry_builders import a_provider, a_registered_model, a_registered_route

FROM_THE_FILE = a_model(name="from the file")
ONE = Prices(input=Decimal(1), output=Decimal("0.1"))
TIERED = Prices(input=Decimal(2), output=Decimal(2), tiers=(PriceTier(above=9, prices=ONE),))
TERMINATE_LISTENERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'stoa registry'"
)


@dataclass(slots=True)
class Node:
    catalog: PostgresModelCatalog
    providers: RecordingFollower
    uow: PostgresUnitOfWork

    async def add(self, provider: Provider, *models: Model) -> None:
        async with self.uow as tx:
            await tx.providers.add(provider)
            for model in models:
                await tx.models.add(model)
            await tx.commit()

    async def serves(
        self, name: str, team_id: TeamId = TEAM_ID, within_s: float = PATIENCE_S
    ) -> ServedModel:
        async with asyncio.timeout(within_s):
            while (model := self.catalog.find(name, team_id)) is None:
                await asyncio.sleep(0.002)
        return model

    async def forgets(self, name: str, within_s: float = PATIENCE_S) -> None:
        async with asyncio.timeout(within_s):
            while self.catalog.find(name, TEAM_ID) is not None:
                await asyncio.sleep(0.002)


@pytest.fixture
async def nodes(team_url: str) -> AsyncIterator[tuple[Node, Node]]:
    async with AsyncExitStack() as stack:
        yield await a_node(team_url, stack), await a_node(team_url, stack)


async def a_node(url: str, stack: AsyncExitStack) -> Node:
    engine = make_engine(url)
    stack.push_async_callback(engine.dispose)
    providers = RecordingFollower()
    catalog = PostgresModelCatalog(
        url,
        InMemoryModelCatalog(FROM_THE_FILE),
        providers=providers,
        configurations=RegisteredConfigurations(),
        prices=LivePrices(FixedPriceBook(), SystemClock(), places={}),
    )
    stack.push_async_callback(catalog.stop)
    await catalog.start()
    return Node(catalog, providers, PostgresUnitOfWork(make_sessions(engine)))


async def test_what_one_node_writes_the_other_serves(
    nodes: tuple[Node, Node],
) -> None:
    provider = a_provider()
    model = a_registered_model(provider, aliases=("big",))

    await nodes[0].add(provider, model)
    served = await nodes[1].serves("big")

    assert served.owner == TEAM_ID
    assert served.provider == "acme"
    assert nodes[1].catalog.find("from the file", TEAM_ID) is not None
    assert [one.provider for one in nodes[1].providers.told[TEAM_ID]] == [provider]
    assert nodes[1].providers.told[TEAM_ID][0].models == (served,)


async def test_what_is_switched_off_is_so_everywhere(nodes: tuple[Node, Node]) -> None:
    provider = a_provider()
    model = a_registered_model(provider)
    await nodes[0].add(provider, model)
    await nodes[1].serves("large")

    async with nodes[0].uow as tx:
        await tx.models.save(replace(model, state=ModelState.DISABLED))
        await tx.commit()
    async with asyncio.timeout(PATIENCE_S):
        while (await nodes[1].serves("large")).is_enabled:
            await asyncio.sleep(0.002)

    async with nodes[0].uow as tx:
        await tx.models.remove(model)
        await tx.commit()
    await nodes[1].forgets("large")


async def test_who_has_caught_up_serves_what_was_committed(nodes: tuple[Node, Node]) -> None:
    provider = a_provider()
    await nodes[0].add(provider, a_registered_model(provider))

    await nodes[1].catalog.catch_up(TEAM_ID)

    assert nodes[1].catalog.find("large", TEAM_ID) is not None


async def test_a_cut_connection_loses_no_change(
    nodes: tuple[Node, Node], sql: asyncpg.Connection
) -> None:
    provider = a_provider()

    await sql.execute(TERMINATE_LISTENERS)
    await nodes[0].add(provider, a_registered_model(provider))

    await nodes[1].serves("large")
    assert nodes[1].catalog.is_listening


async def test_a_team_that_went_while_nobody_listened_is_forgotten(
    nodes: tuple[Node, Node], sql: asyncpg.Connection
) -> None:
    provider = a_provider()
    await nodes[0].add(provider, a_registered_model(provider))
    await nodes[1].serves("large")

    await sql.execute("DELETE FROM teams WHERE id = $1", TEAM_ID)
    await sql.execute(TERMINATE_LISTENERS)

    await nodes[1].forgets("large")
    assert nodes[1].providers.told[TEAM_ID] == ()


async def test_what_is_public_other_teams_see_too(nodes: tuple[Node, Node]) -> None:
    provider = a_provider()
    public = a_registered_model(provider, name="shared", visibility=Visibility.PUBLIC)
    await nodes[0].add(provider, public, a_registered_model(provider))

    served = await nodes[1].serves("shared", OTHER_TEAM_ID)

    assert served.owner == TEAM_ID
    assert nodes[1].catalog.find("large", OTHER_TEAM_ID) is None


async def test_routes_are_served_too(nodes: tuple[Node, Node]) -> None:
    route = a_registered_route("large", name="from the file")
    async with nodes[0].uow as tx:
        await tx.routes.add(route)
        await tx.commit()

    await nodes[1].catalog.catch_up(TEAM_ID)

    assert nodes[1].catalog.route("from the file", TEAM_ID) == route.route
    assert nodes[1].catalog.find("from the file", TEAM_ID) is None
    assert nodes[1].catalog.find("from the file", OTHER_TEAM_ID) is not None


async def test_a_price_that_is_set_holds_on_every_node_at_its_moment(
    nodes: tuple[Node, Node],
) -> None:
    provider = a_provider()
    model = a_registered_model(provider)
    await nodes[0].add(provider, model)
    await nodes[1].serves("large")
    now = SystemClock().now()
    at_once = a_price(model_id=model.id, effective_from=now, prices=ONE)
    soon = now + timedelta(seconds=1.5)
    is_soon = partial(_has_come, soon)

    async with nodes[0].uow as tx:
        await tx.prices.add(at_once)
        await tx.prices.add(a_price(model_id=model.id, effective_from=soon, prices=TIERED))
        await tx.prices.add(
            a_price(provider="acme", upstream_name="large-2", effective_from=now, prices=ONE)
        )
        await tx.commit()
    for node in nodes:
        # Unless its moment has come already, because the machine has much else to do.
        await costs(node, "large", ONE, unless=is_soon)
        await costs(node, "from the file", ONE)
        assert node.catalog.find("from the file", OTHER_TEAM_ID) == FROM_THE_FILE
    for node in nodes:
        await costs(node, "large", TIERED)

    assert is_soon()
    async with nodes[0].uow as tx:
        for price in await tx.prices.all(TEAM_ID):
            await tx.prices.remove(price)
        await tx.commit()
    await costs(nodes[1], "large", None)
    assert nodes[1].catalog.find("from the file", TEAM_ID) == FROM_THE_FILE


async def costs(
    node: Node, name: str, prices: Prices | None, unless: Callable[[], bool] = lambda: False
) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not unless():
            model = node.catalog.find(name, TEAM_ID)
            if model is not None and model.prices == prices:
                return
            await asyncio.sleep(0.002)


def _has_come(moment: datetime) -> bool:
    return SystemClock().now() >= moment


def a_price(**fields: Any) -> PriceOverride:
    return PriceOverride(
        id=PriceId(SystemIds().new()), team_id=TEAM_ID, created_at=SystemClock().now(), **fields
    )
