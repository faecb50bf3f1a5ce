from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from application.inference.call_policy import CallPolicy, CallWishes
from application.inference.routing.candidates import Candidates
from application.inference.routing.deployments import Deployments
from application.inference.routing.plan import Plan
from application.models.ports import ModelCatalog
from application.shared.ports import Clock
from domain.inference.errors import (
    LocalOnlyError,
    NoHealthyDeploymentError,
    NoModelFitsError,
    UnsupportedByModelError,
)
from domain.inference.routing.auto import ranked
from domain.inference.routing.eligibility import CallShape, objection, with_room
from domain.inference.routing.sticky import arm_of
from domain.inference.token_estimate import TokenEstimate
from domain.models.errors import ModelNotFoundError
from domain.models.route import Route, SplitBy
from domain.models.served_model import ServedModel
from domain.shared.ids import TeamId

_UNKNOWN_SIZE = TokenEstimate(prompt=1000)
_CIRCUIT_OPEN = "is left alone for a moment because it failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Says which models may answer a call, in which order, or why none may. It runs at every call,
    so it looks at nothing but memory.

    The name that was asked for decides about rights; what a route sends a call to is its maker's
    business. Models that cannot answer the call are left out, then those whose deployments fail
    right now; the strategy of the route orders the rest. A model that the client itself named is
    asked even if it fails: there is nothing that could be asked instead.
    """

    policy: CallPolicy
    catalog: ModelCatalog
    candidates: Candidates
    deployments: Deployments
    clock: Clock

    def plan(self, wishes: CallWishes) -> Plan:
        """Raises ``FunctionalError``, and ``NoHealthyDeploymentError`` where waiting helps."""
        found = self.policy.named(wishes)
        if isinstance(found, ServedModel):
            self._check(found, wishes)
            return Plan(found)
        if found is None:
            return self._automatic(wishes)
        return self._routed(found, wishes)

    def _check(self, model: ServedModel, wishes: CallWishes) -> None:
        if wishes.local_only and not model.runs_here:
            raise LocalOnlyError(wishes.model)
        if wishes.needs and model.capabilities is not None:
            reason = objection(model, _shape(wishes))
            if reason is not None:
                raise UnsupportedByModelError(f"The model '{wishes.model}' {reason}.")

    def _automatic(self, wishes: CallWishes) -> Plan:
        usable = [m for m in self.catalog.all(wishes.actor.team_id) if wishes.actor.may_use(m)]
        usable = [model for model in usable if model.kind is wishes.kind]
        if not usable:
            raise ModelNotFoundError(wishes.model)
        fitting = self._fitting(wishes.model, usable, _shape(wishes))
        places = ranked(
            [(model, self.deployments.of(model).standing) for model in fitting],
            wishes.estimate or _UNKNOWN_SIZE,
            wishes.needs,
            self.clock.monotonic(),
            is_stream=wishes.stream,
        )
        first, *others = [place.model for place in places]
        return Plan(first, others=tuple(others), reason=places[0].reason)

    def _routed(self, route: Route, wishes: CallWishes) -> Plan:
        team_id, shape = wishes.actor.team_id, _shape(wishes)
        candidates = list(self.candidates.of(route, team_id))
        fallbacks = _unique(self._expanded(route, team_id, wishes))
        everything = _unique([*(one.model for one in candidates), *fallbacks])
        arm = self._arm(route, wishes)
        ahead: ServedModel | None = None
        if arm is not None:
            ahead = self.catalog.find(arm[1], route.owner or team_id)
            everything = _unique([*filter(None, (ahead,)), *everything])
        fitting = self._fitting(wishes.model, everything, shape)
        if route.health_check_s is not None:
            for model in everything:
                checks = self.deployments.of(model).checks
                checks[f"{route.owner}/{route.name}"] = route.health_check_s
        able = set(map(_key, fitting))
        targets = self.candidates.ordered(
            route,
            [one for one in candidates if _key(one.model) in able],
            wishes.estimate,
            is_stream=wishes.stream,
        )
        reason = str(route.strategy)
        if ahead is not None and _key(ahead) in able:
            targets, reason = _unique([ahead, *targets]), "split"
        known = set(map(_key, targets))
        falling = [m for m in fallbacks if _key(m) in able and _key(m) not in known]
        if not targets:
            targets, falling, reason = falling[:1], falling[1:], "fallback: no target can"
        return Plan(
            targets[0],
            others=tuple(targets[1:]),
            fallbacks=tuple(falling),
            retry=route.retry,
            timeouts=route.timeouts,
            hedge_after_s=None if route.hedge_after_ms is None else route.hedge_after_ms / 1000,
            route=route,
            reason=reason,
            arm=None if arm is None else arm[0],
        )

    def _expanded(self, route: Route, team_id: TeamId, wishes: CallWishes) -> Iterator[ServedModel]:
        """The models that take over, those of other routes in the order that these have."""
        seen, waiting = {route.name}, [(route, team_id)]
        while waiting:
            at, seen_by = waiting.pop()
            further: list[tuple[Route, TeamId]] = []
            for found, owner in self.candidates.fallback_routes(at, seen_by):
                if isinstance(found, ServedModel):
                    yield found
                elif found.name not in seen and found.is_enabled:
                    seen.add(found.name)
                    there = list(self.candidates.of(found, owner))
                    yield from self.candidates.ordered(
                        found, there, wishes.estimate, is_stream=wishes.stream, behind=route
                    )
                    further.append((found, owner))
            waiting += reversed(further)

    def _fitting(
        self, name: str, models: Iterable[ServedModel], shape: CallShape
    ) -> list[ServedModel]:
        """Those that can answer and are not left alone."""
        objections: dict[str, str] = {}
        able: list[ServedModel] = []
        for model in models:
            reason = objection(model, shape)
            if reason is None:
                able.append(model)
            else:
                objections[model.name] = reason
        if not able:
            raise NoModelFitsError(name, objections)
        able = with_room(able, shape)
        healthy = [model for model in able if self.deployments.admits(model)]
        if not healthy:
            raise self._unhealthy(name, able)
        return healthy

    def _unhealthy(self, name: str, models: Iterable[ServedModel]) -> NoHealthyDeploymentError:
        tried = tuple(models)
        told = "; ".join(f"'{model.name}' {_CIRCUIT_OPEN}" for model in tried)
        return NoHealthyDeploymentError(
            f"No deployment behind '{name}' is healthy: {told}.",
            retry_after=min(self.deployments.wait_s(model) for model in tried),
        )

    def _arm(self, route: Route, wishes: CallWishes) -> tuple[str, str] | None:
        """The name of the caller's arm and of its model."""
        if route.split is None:
            return None
        said = wishes.user
        if route.split.by is SplitBy.CONVERSATION:
            said = wishes.conversation or wishes.user
        actor = wishes.actor
        arm = arm_of(route.split, said or str(actor.user_id or actor.key_id or actor.team_id))
        return arm.name, arm.model


def _shape(wishes: CallWishes) -> CallShape:
    return CallShape(
        kind=wishes.kind,
        needs=wishes.needs,
        max_output=wishes.max_output_tokens,
        estimate=wishes.estimate,
        local_only=wishes.local_only,
    )


def _key(model: ServedModel) -> tuple[TeamId | None, str]:
    """Models of different teams may have one name."""
    return model.owner, model.name


def _unique(models: Iterable[ServedModel]) -> list[ServedModel]:
    return list({_key(model): model for model in models}.values())
