from dataclasses import dataclass

from application.models.registry.finding import find_model
from application.models.registry.models.entries import ModelChange, ModelEntries
from application.models.registry.models.shown_model import ShownModel, shown
from application.models.registry.ports import LiveRegistry, RegistryUnitOfWork
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.shared.ids import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateModelCommand:
    """``which`` is its id or one of its names."""

    actor: Actor
    which: ModelId | str
    change: ModelChange


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateModel:
    """Changes a model of the team's registry; every node obeys within a second. A disabled or
    archived model refuses calls, and its calls stay in the ledger. An archived one changes by
    being restored only. A name that a route needs stays."""

    uow: RegistryUnitOfWork
    entries: ModelEntries
    live: LiveRegistry

    async def __call__(self, command: UpdateModelCommand) -> ShownModel:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            await tx.lock_registry(actor.team_id)
            old = await find_model(tx, actor.team_id, command.which)
            model = await self.entries.change(tx, actor, old, command.change)
            await self.entries.references.check_named(tx, actor.team_id, old.names)
            answer = await shown(tx, model)
            await tx.commit()
        await self.live.catch_up(actor.team_id)
        return answer
