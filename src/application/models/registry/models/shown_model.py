from dataclasses import dataclass

from application.models.registry.ports import RegistryUnitOfWork
from domain.models.registry.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownModel:
    """``provider`` is the provider's name."""

    model: Model
    provider: str


async def shown(tx: RegistryUnitOfWork, model: Model) -> ShownModel:
    provider = await tx.providers.get(model.team_id, model.provider_id)
    return ShownModel(model=model, provider=provider.name)
