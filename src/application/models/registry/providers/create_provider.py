from dataclasses import dataclass

from application.models.registry.ports import LiveRegistry, RegistryUnitOfWork
from application.models.registry.providers.entries import ProviderDraft, ProviderEntries
from application.models.registry.providers.shown_provider import ShownProvider
from application.shared.actor import Actor
from domain.identity.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProviderCommand:
    actor: Actor
    draft: ProviderDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProvider:
    """Sets up a provider in the team's registry. Its secrets are stored encrypted, and nobody can
    read them again. Every node serves it within a second."""

    uow: RegistryUnitOfWork
    entries: ProviderEntries
    live: LiveRegistry

    async def __call__(self, command: CreateProviderCommand) -> ShownProvider:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            await tx.lock_registry(actor.team_id)
            provider = await self.entries.add(tx, actor, command.draft)
            await tx.commit()
        await self.live.catch_up(actor.team_id)
        return ShownProvider(provider=provider, problem=self.live.problem(provider.id))
