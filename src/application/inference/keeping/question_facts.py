from collections.abc import Iterator
from dataclasses import asdict, dataclass

from application.inference.guarding.guardrails import Guardrails
from application.inference.keeping.ports import Whereabouts
from application.inference.model_command import InvokeModelCommand
from application.inference.routing.plan import Plan
from application.models.ports import ModelCatalog
from application.operations.ports import RuntimeSettings
from domain.models.route import Route
from domain.models.served_model import ServedModel
from domain.operations.routing_settings import LOCAL_ONLY
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFacts:
    """What decides about an answer beside the body of the request: who may answer it and how, and
    who asks."""

    catalog: ModelCatalog
    settings: RuntimeSettings
    guardrails: Guardrails
    whereabouts: Whereabouts

    def of(self, command: InvokeModelCommand, plan: Plan) -> Iterator[object]:
        actor = command.actor
        yield "2"
        yield str(actor.team_id)
        yield str(command.operation)
        yield command.local_only or self.settings.get(LOCAL_ONLY, actor.team_id)
        yield sorted(command.features)
        # Callers with other rights may not be shown what these were shown.
        yield sorted(actor.allowed_models), sorted(map(str, actor.permissions))
        # What they leave of an answer is what is kept of it.
        yield [asdict(policy) for policy in self.guardrails.of(plan, actor.team_id)]
        route = plan.route
        if route is None:
            yield self._model(plan.first)
            return
        yield str(route.owner), route.name, plan.arm
        yield from self._models_of(route, actor.team_id, {(route.owner, route.name)})

    def _models_of(
        self, route: Route, team_id: TeamId, seen: set[tuple[TeamId | None, str]]
    ) -> Iterator[object]:
        """All that may answer, in whatever state they are: an answer shall not be lost with the
        health of the one that gave it."""
        team_id = route.owner or team_id
        arms = () if route.split is None else route.split.arms
        names = [*(one.model for one in route.targets), *(one.model for one in arms)]
        names += route.fallbacks
        for name in names:
            model = self.catalog.find(name, team_id)
            yield name if model is None else self._model(model)
            further = None if model is not None else self.catalog.route(name, team_id)
            if further is not None and (further.owner, further.name) not in seen:
                seen.add((further.owner, further.name))
                yield from self._models_of(further, team_id, seen)

    def _model(self, model: ServedModel) -> object:
        return (
            str(model.owner),
            model.name,
            model.deployment,
            self.whereabouts.identity(model),
            model.options,
            model.max_output_tokens,
            None if model.capabilities is None else sorted(model.capabilities),
        )
