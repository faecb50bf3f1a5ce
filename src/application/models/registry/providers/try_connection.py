from dataclasses import dataclass

from application.models.registry.finding import find_provider
from application.models.registry.ports import ProviderOffers, RegistryUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from domain.identity.permissions import Permission
from domain.shared.errors import StoaError
from domain.shared.ids import ProviderId


@dataclass(frozen=True, slots=True, kw_only=True)
class TryConnectionCommand:
    """``which`` is the provider's id or name."""

    actor: Actor
    which: ProviderId | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """``models`` is how many the provider offers; ``problem`` says why it cannot be used."""

    latency_ms: float
    models: int | None = None
    problem: StoaError | None = None

    @property
    def is_reachable(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True, kw_only=True)
class TryConnection:
    """Asks a provider which models it has, to find out whether it can be reached and lets Stoa
    in."""

    uow: RegistryUnitOfWork
    offers: ProviderOffers
    clock: Clock
    auditor: Auditor

    async def __call__(self, command: TryConnectionCommand) -> Connection:
        actor = command.actor
        actor.require(Permission.MANAGE_MODELS)
        async with self.uow as tx:
            provider = await find_provider(tx, actor.team_id, command.which)
            await self.auditor.record(tx, actor, "provider.tested", Target("provider", provider.id))
            await tx.commit()
        started = self.clock.monotonic()
        problem: StoaError | None = None
        models: int | None = None
        try:
            models = len(await self.offers.of(provider))
        except StoaError as error:
            problem = error
        latency_ms = (self.clock.monotonic() - started) * 1000
        return Connection(latency_ms=latency_ms, models=models, problem=problem)
