from dataclasses import dataclass

from application.models.ports import ModelCatalog
from application.shared.actor import Actor
from domain.models.errors import ModelNotFoundError
from domain.models.route import Route
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class GetModelQuery:
    actor: Actor
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetModel:
    """Shows one model or route by name or alias; one that the actor may not use, or that takes no
    calls, is not there."""

    catalog: ModelCatalog

    async def __call__(self, query: GetModelQuery) -> ServedModel | Route:
        actor = query.actor
        found = self.catalog.find(query.name, actor.team_id) or self.catalog.route(
            query.name, actor.team_id
        )
        if found is None or not found.is_enabled or not actor.may_use(found):
            raise ModelNotFoundError(query.name)
        return found
