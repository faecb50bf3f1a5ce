from dataclasses import dataclass

from application.models.registry.finding import find_model
from application.models.registry.models.shown_model import ShownModel, shown
from application.models.registry.ports import RegistryUnitOfWork
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.shared.ids import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRegisteredModelQuery:
    """``which`` is its id or one of its names."""

    actor: Actor
    which: ModelId | str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRegisteredModel:
    """Shows a model of the team's registry, also one that is switched off or archived."""

    uow: RegistryUnitOfWork

    async def __call__(self, query: GetRegisteredModelQuery) -> ShownModel:
        query.actor.require(Permission.READ_TEAM)
        async with self.uow as tx:
            model = await find_model(tx, query.actor.team_id, query.which)
            return await shown(tx, model)
