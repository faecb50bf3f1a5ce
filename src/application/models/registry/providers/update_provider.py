from dataclasses import dataclass

from application.models.registry.finding import find_provider
from application.models.registry.ports import LiveRegistry, RegistryUnitOfWork
from application.models.registry.providers.entries import ProviderChange, ProviderEntries
from application.models.registry.providers.shown_provider import ShownProvider
from application.models.registry.references import References
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.shared.ids import ProviderId


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProviderCommand:
    """``which`` is its id or its name."""

    actor: Actor
    which: ProviderId | str
    change: ProviderChange


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProvider:
    """Changes a provider of the team's registry. Calls that are running end as they began; every
    node sends new ones by the new configuration within a second.

    Whoever changes where requests go gives the secrets again."""

    uow: RegistryUnitOfWork
    entries: ProviderEntries
    references: References
    live: LiveRegistry

    async def __call__(self, command: UpdateProviderCommand) -> ShownProvider:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            await tx.lock_registry(actor.team_id)
            old = await find_provider(tx, actor.team_id, command.which)
            provider = await self.entries.change(tx, actor, old, command.change)
            if provider.type != old.type:
                await self.references.check_other_type(tx, provider)
            await tx.commit()
        await self.live.catch_up(actor.team_id)
        return ShownProvider(provider=provider, problem=self.live.problem(provider.id))
