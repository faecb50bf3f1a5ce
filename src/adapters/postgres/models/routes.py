from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.models.announcing import page_of, write
from adapters.postgres.models.names import take_names
from adapters.postgres.models.rows import routes
from application.models.registry.ports import RegistrySort, Routes
from application.shared.pagination import Page, PageRequest
from domain.models.registry.errors import RouteNotFoundError
from domain.models.registry.registered_route import RegisteredRoute
from domain.models.route import Route
from domain.shared.ids import RouteId, TeamId


class PostgresRoutes(Routes):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, route: RegisteredRoute) -> None:
        with translated():
            await write(self._session, route.team_id, insert(routes).values(_values(route)))
        await take_names(self._session, route.team_id, route.route.names, route_id=route.id)

    async def get(self, team_id: TeamId, route_id: RouteId) -> RegisteredRoute:
        with translated():
            found = await self._session.execute(
                select(routes).where(routes.c.team_id == team_id, routes.c.id == route_id)
            )
        row = found.mappings().one_or_none()
        if row is None:
            raise RouteNotFoundError
        return route_of(row)

    async def save(self, route: RegisteredRoute) -> None:
        with translated():
            saved = await write(
                self._session,
                route.team_id,
                update(routes)
                .where(routes.c.team_id == route.team_id, routes.c.id == route.id)
                .values(_values(route)),
            )
        if not saved.rowcount:
            raise RouteNotFoundError
        await take_names(self._session, route.team_id, route.route.names, route_id=route.id)

    async def remove(self, route: RegisteredRoute) -> None:
        with translated():
            statement = delete(routes).where(
                routes.c.team_id == route.team_id, routes.c.id == route.id
            )
            await write(self._session, route.team_id, statement)

    async def all(self, team_id: TeamId) -> Sequence[RegisteredRoute]:
        with translated():
            rows = await self._session.execute(
                select(routes).where(routes.c.team_id == team_id).order_by(routes.c.name)
            )
        return tuple(map(route_of, rows.mappings()))

    async def list(
        self, team_id: TeamId, page: PageRequest, sort: RegistrySort
    ) -> Page[RegisteredRoute]:
        wanted = select(routes).where(routes.c.team_id == team_id)
        with translated():
            rows, total = await page_of(self._session, routes, wanted, page, sort)
        return Page(
            items=tuple(map(route_of, rows)),
            total=total,
            page=page.page,
            page_size=page.page_size,
        )


def route_of(row: Mapping[Any, Any]) -> RegisteredRoute:
    team_id = TeamId(row["team_id"])
    route = msgspec.convert(row["definition"], Route)
    return RegisteredRoute(
        id=RouteId(row["id"]),
        team_id=team_id,
        route=replace(route, owner=team_id),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _values(route: RegisteredRoute) -> dict[str, Any]:
    return {
        "id": route.id,
        "team_id": route.team_id,
        "name": route.name,
        "definition": msgspec.to_builtins(replace(route.route, owner=None)),
        "created_at": route.created_at,
        "updated_at": route.updated_at,
    }
