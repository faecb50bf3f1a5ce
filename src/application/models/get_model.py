from dataclasses import dataclass

from application.models.ports import ModelCatalog
from application.shared.actor import Actor
from domain.models.errors import ModelNotFoundError
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class GetModelQuery:
    actor: Actor
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetModel:
    """Shows one model by name or alias; one that the actor may not use is not there."""

    catalog: ModelCatalog

    async def __call__(self, query: GetModelQuery) -> ServedModel:
        model = self.catalog.find(query.name, query.actor.team_id)
        if model is None or not query.actor.may_use(model):
            raise ModelNotFoundError(query.name)
        return model
