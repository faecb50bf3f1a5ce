from dataclasses import dataclass

from application.models.registry.finding import find_provider
from application.models.registry.ports import LiveRegistry, RegistryUnitOfWork
from application.models.registry.providers.entries import ProviderEntries
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.shared.ids import ProviderId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteProviderCommand:
    """``which`` is its id or its name."""

    actor: Actor
    which: ProviderId | str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteProvider:
    """Removes a provider that has no models, and its secrets with it."""

    uow: RegistryUnitOfWork
    entries: ProviderEntries
    live: LiveRegistry

    async def __call__(self, command: DeleteProviderCommand) -> None:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            await tx.lock_registry(actor.team_id)
            provider = await find_provider(tx, actor.team_id, command.which)
            await self.entries.remove(tx, actor, provider)
            await tx.commit()
        await self.live.catch_up(actor.team_id)
