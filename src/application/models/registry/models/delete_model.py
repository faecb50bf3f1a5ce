from dataclasses import dataclass

from application.models.registry.finding import find_model
from application.models.registry.models.entries import ModelEntries
from application.models.registry.ports import LiveRegistry, RegistryUnitOfWork
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.shared.ids import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteModelCommand:
    """``which`` is its id or one of its names."""

    actor: Actor
    which: ModelId | str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteModel:
    """Removes a model that has never been called and that no route names; any other can be
    archived."""

    uow: RegistryUnitOfWork
    entries: ModelEntries
    live: LiveRegistry

    async def __call__(self, command: DeleteModelCommand) -> None:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            await tx.lock_registry(actor.team_id)
            model = await find_model(tx, actor.team_id, command.which)
            await self.entries.remove(tx, actor, model)
            await self.entries.references.check_named(tx, actor.team_id, model.names)
            await tx.commit()
        await self.live.catch_up(actor.team_id)
