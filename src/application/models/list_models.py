from dataclasses import dataclass

from application.models.ports import ModelCatalog
from application.shared.actor import Actor
from domain.models.route import Route
from domain.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ListModels:
    """Lists the models, and after them the routes, that the actor may use and that take calls."""

    catalog: ModelCatalog

    async def __call__(self, actor: Actor) -> tuple[ServedModel | Route, ...]:
        known: list[ServedModel | Route] = [
            *self.catalog.all(actor.team_id),
            *self.catalog.routes(actor.team_id),
        ]
        return tuple(one for one in known if one.is_enabled and actor.may_use(one))
