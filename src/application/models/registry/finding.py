"""Finding what somebody means in the registry of a team, by id or by name."""

from application.models.registry.ports import RegistryUnitOfWork
from domain.models.registry.errors import (
    ModelNotRegisteredError,
    ProviderNotFoundError,
    RouteNotFoundError,
)
from domain.models.registry.model import Model
from domain.models.registry.provider import Provider
from domain.models.registry.registered_route import RegisteredRoute
from domain.shared.ids import ModelId, ProviderId, RouteId, TeamId


async def find_provider(
    tx: RegistryUnitOfWork, team_id: TeamId, which: ProviderId | str
) -> Provider:
    """Raises ``ProviderNotFoundError``."""
    if not isinstance(which, str):
        return await tx.providers.get(team_id, which)
    for provider in await tx.providers.all(team_id):
        if which in (provider.name, str(provider.id)):
            return provider
    raise ProviderNotFoundError


async def find_model(tx: RegistryUnitOfWork, team_id: TeamId, which: ModelId | str) -> Model:
    """Raises ``ModelNotRegisteredError``."""
    if not isinstance(which, str):
        return await tx.models.get(team_id, which)
    for model in await tx.models.all(team_id):
        if which in (*model.names, str(model.id)):
            return model
    raise ModelNotRegisteredError


async def find_route(
    tx: RegistryUnitOfWork, team_id: TeamId, which: RouteId | str
) -> RegisteredRoute:
    """Raises ``RouteNotFoundError``."""
    if not isinstance(which, str):
        return await tx.routes.get(team_id, which)
    for route in await tx.routes.all(team_id):
        if which in (*route.route.names, str(route.id)):
            return route
    raise RouteNotFoundError
