from dataclasses import dataclass

from application.models.registry.models.entries import ModelDraft, ModelEntries
from application.models.registry.models.shown_model import ShownModel, shown
from application.models.registry.ports import LiveRegistry, RegistryUnitOfWork
from application.shared.actor import Actor
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateModelCommand:
    actor: Actor
    draft: ModelDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateModel:
    """Serves a model of one of the team's providers under a name of the team's own; every node
    does within a second. A `public` one is served to the other teams of the server too."""

    uow: RegistryUnitOfWork
    entries: ModelEntries
    live: LiveRegistry

    async def __call__(self, command: CreateModelCommand) -> ShownModel:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            await tx.lock_registry(actor.team_id)
            model = await self.entries.add(tx, actor, command.draft)
            answer = await shown(tx, model)
            await tx.commit()
        await self.live.catch_up(actor.team_id)
        return answer
