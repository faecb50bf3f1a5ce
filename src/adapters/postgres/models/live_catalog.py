from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from adapters.postgres.followed import Followed
from adapters.postgres.models.announcing import CHANNEL
from adapters.postgres.models.models import model_of
from adapters.postgres.models.price_turns import PriceTurns
from adapters.postgres.models.prices import price_of
from adapters.postgres.models.providers import provider_of
from adapters.postgres.models.routes import route_of
from application.models.ports import ModelCatalog
from application.models.pricing.live_prices import LivePrices, Place, Schedule, TeamPrices
from application.models.registry.layered_catalog import LayeredCatalog, ServedRegistry
from application.models.registry.ports import (
    LiveRegistry,
    ProviderConfigurations,
    ProviderFollower,
    ProviderInUse,
)
from domain.models.price_override import PriceOverride
from domain.models.registry.provider import Provider
from domain.models.registry.serving import served
from domain.models.route import Route
from domain.models.served_model import ServedModel
from domain.shared.ids import ModelId, ProviderId, TeamId

_TABLES = ("providers", "models", "routes", "prices")


class PostgresModelCatalog(LayeredCatalog, LiveRegistry):
    """The registries of all teams in memory, over what the configuration has; read again when the
    database says that one changed, and whenever it could not be heard for a while."""

    def __init__(
        self,
        database_url: str,
        beneath: ModelCatalog,
        *,
        providers: ProviderFollower,
        configurations: ProviderConfigurations,
        prices: LivePrices,
    ) -> None:
        super().__init__(beneath, prices)
        self._live_prices = prices
        self._turns = PriceTurns(prices, self.forget_views)
        self._providers = providers
        self._configurations = configurations
        self._known: set[TeamId] = set()
        self._followed = Followed(
            database_url,
            what="registry",
            channel=CHANNEL,
            owner_of=lambda payload: TeamId(UUID(payload)),
            read_all=self._read_all,
            read_of=self._read_of,
        )

    @property
    def is_listening(self) -> bool:
        return self._followed.is_listening

    async def start(self) -> None:
        await self._followed.start()

    async def stop(self) -> None:
        await self._followed.stop()
        await self._turns.stop()

    async def catch_up(self, team_id: TeamId) -> None:
        await self._followed.catch_up(frozenset({team_id}))

    def problem(self, provider_id: ProviderId) -> str | None:
        return self._providers.problem(provider_id)

    async def _read_all(self, connection: asyncpg.Connection) -> None:
        read = await self._read(connection, None)
        gone = self._known - read.keys()
        await self._take_over({**dict.fromkeys(gone, _Rows()), **read})

    async def _read_of(self, connection: asyncpg.Connection, owners: frozenset[TeamId]) -> None:
        read = await self._read(connection, owners)
        await self._take_over({owner: read.get(owner, _Rows()) for owner in owners})

    async def _read(
        self, connection: asyncpg.Connection, owners: frozenset[TeamId] | None
    ) -> "dict[TeamId, _Rows]":
        found: defaultdict[TeamId, _Rows] = defaultdict(_Rows)
        where = "" if owners is None else " WHERE team_id = ANY($1)"
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=_encoded, decoder=msgspec.json.decode
        )
        # One view of all tables, whatever is written meanwhile.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for table in _TABLES:
                statement = f"SELECT * FROM {table}{where}"  # noqa: S608 - names of our own
                for row in await connection.fetch(
                    statement, *(() if owners is None else (owners,))
                ):
                    found[TeamId(row["team_id"])].add(table, row)
        return dict(found)

    async def _take_over(self, read: "dict[TeamId, _Rows]") -> None:
        registries: dict[TeamId, ServedRegistry] = {}
        in_use: dict[TeamId, tuple[ProviderInUse, ...]] = {}
        prices: dict[TeamId, TeamPrices] = {}
        for team_id, rows in read.items():
            models = tuple(self._served(rows))
            routes = tuple(rows.routes)
            registries[team_id] = ServedRegistry(models=models, routes=routes)
            prices[team_id] = rows.team_prices(self._configurations)
            in_use[team_id] = tuple(
                ProviderInUse(
                    provider=one, models=tuple(m for m in models if m.provider == one.name)
                )
                for one in rows.providers.values()
            )
            is_known = rows.providers or routes or rows.prices
            (self._known.add if is_known else self._known.discard)(team_id)
        # Whoever finds a model finds its price and its provider too.
        await self._live_prices.follow(
            prices, [model for one in registries.values() for model in one.models]
        )
        await self._providers.follow(in_use)
        self.replace_registries(registries)
        self._turns.plan()

    def _served(self, rows: "_Rows") -> Iterable[ServedModel]:
        for row in rows.models:
            model = model_of(row)
            provider = rows.providers[model.provider_id]
            is_here = self._configurations.runs_here(provider.type)
            yield served(model, provider, runs_here=is_here)


class _Rows:
    """What the tables have of one team."""

    def __init__(self) -> None:
        self.providers: dict[ProviderId, Provider] = {}
        self.models: list[asyncpg.Record] = []
        self.routes: list[Route] = []
        self.prices: list[PriceOverride] = []

    def add(self, table: str, row: asyncpg.Record) -> None:
        if table == "providers":
            provider = provider_of(row)
            self.providers[provider.id] = provider
        elif table == "models":
            self.models.append(row)
        elif table == "prices":
            self.prices.append(price_of(row))
        else:
            self.routes.append(route_of(row).route)

    def team_prices(self, configurations: ProviderConfigurations) -> TeamPrices:
        names = {ModelId(row["id"]): str(row["name"]) for row in self.models}
        models: defaultdict[str, Schedule] = defaultdict(tuple)
        deployments: defaultdict[str, Schedule] = defaultdict(tuple)
        for price in self.prices:
            if price.model_id is None:
                deployments[f"{price.provider}/{price.upstream_name}"] += (price.dated,)
            else:
                models[names[price.model_id]] += (price.dated,)
        places = {one.name: _place(one, configurations) for one in self.providers.values()}
        return TeamPrices(places=places, models=models, deployments=deployments)


def _place(provider: Provider, configurations: ProviderConfigurations) -> Place:
    url = provider.configuration.get("base_url")
    return Place(
        provider_type=provider.type,
        base_url=url if isinstance(url, str) else None,
        is_local=configurations.is_of_the_server(provider.type),
    )


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()
