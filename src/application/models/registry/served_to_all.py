"""What other teams of the server are served out of the registry of one."""

from dataclasses import dataclass, field

from application.models.registry.ports import RegistryUnitOfWork
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.models.registry.model import Visibility
from domain.models.route import Route
from domain.shared.ids import ProviderId, TeamId


@dataclass(slots=True)
class ServedToAll:
    """What is public, and all that public routes lead to: their targets are looked up in the
    registry of the team that has made them."""

    names: set[str] = field(default_factory=set)
    providers: set[ProviderId] = field(default_factory=set)


async def must_not_change_for_all(
    tx: RegistryUnitOfWork,
    actor: Actor,
    *names: str,
    provider_id: ProviderId | None = None,
) -> None:
    """Raise ``ForbiddenError`` where one of these names, or this provider, answers calls of other
    teams: that changes who manages the server."""
    if actor.may(Permission.MANAGE_SERVER):
        return
    served = await _served_to_all(tx, actor.team_id)
    if not served.names.isdisjoint(names) or provider_id in served.providers:
        actor.require(Permission.MANAGE_SERVER)


def named_by(route: Route) -> set[str]:
    """The models and routes that a route leads to."""
    arms = route.split.arms if route.split else ()
    targets = {target.model for target in route.targets}
    return targets | {arm.model for arm in arms} | set(route.fallbacks)


async def _served_to_all(tx: RegistryUnitOfWork, team_id: TeamId) -> ServedToAll:
    models = await tx.models.all(team_id)
    routes = [one.route for one in await tx.routes.all(team_id)]
    by_name = {name: route for route in routes for name in route.names}
    found = ServedToAll()
    ahead = {route.name for route in routes if route.is_public}
    ahead |= {model.name for model in models if model.visibility is Visibility.PUBLIC}
    while ahead:
        name = ahead.pop()
        found.names.add(name)
        route = by_name.get(name)
        if route is not None:
            found.names |= set(route.names)
            ahead |= named_by(route) - found.names
    for model in models:
        if not found.names.isdisjoint(model.names):
            found.names |= set(model.names)
            found.providers.add(model.provider_id)
    return found
