from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from adapters.postgres.followed import Followed
from adapters.postgres.models.announcing import CHANNEL
from adapters.postgres.models.models import model_of
from adapters.postgres.models.providers import provider_of
from adapters.postgres.models.routes import route_of
from application.models.ports import ModelCatalog
from application.models.registry.layered_catalog import LayeredCatalog, ServedRegistry
from application.models.registry.ports import (
    LiveRegistry,
    ProviderConfigurations,
    ProviderFollower,
    ProviderInUse,
)
from domain.models.registry.provider import Provider
from domain.models.registry.serving import served
from domain.models.route import Route
from domain.models.served_model import ServedModel
from domain.shared.ids import ProviderId, TeamId

_TABLES = ("providers", "models", "routes")


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
    ) -> None:
        super().__init__(beneath)
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
        for team_id, rows in read.items():
            models = tuple(self._served(rows))
            routes = tuple(rows.routes)
            registries[team_id] = ServedRegistry(models=models, routes=routes)
            in_use[team_id] = tuple(
                ProviderInUse(
                    provider=one, models=tuple(m for m in models if m.provider == one.name)
                )
                for one in rows.providers.values()
            )
            (self._known.add if rows.providers or routes else self._known.discard)(team_id)
        # Whoever finds a model finds its provider too.
        await self._providers.follow(in_use)
        self.replace_registries(registries)

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

    def add(self, table: str, row: asyncpg.Record) -> None:
        if table == "providers":
            provider = provider_of(row)
            self.providers[provider.id] = provider
        elif table == "models":
            self.models.append(row)
        else:
            self.routes.append(route_of(row).route)


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()
