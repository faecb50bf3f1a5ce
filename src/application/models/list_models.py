from dataclasses import dataclass

from application.models.ports import ModelCatalog
from application.shared.actor import Actor
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ListModels:
    """Lists the models that the actor may use."""

    catalog: ModelCatalog

    async def __call__(self, actor: Actor) -> tuple[ServedModel, ...]:
        return tuple(m for m in self.catalog.all(actor.team_id) if actor.may_use(m))
