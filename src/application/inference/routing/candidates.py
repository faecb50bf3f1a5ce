from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from application.inference.routing.deployments import Deployments
from application.models.ports import ModelCatalog
from application.shared.ports import Clock
from domain.inference.routing.candidate import Candidate
from domain.inference.routing.smooth_weights import SmoothWeights
from domain.inference.routing.standing import least_busy, lowest_cost, lowest_latency
from domain.inference.token_estimate import TokenEstimate
from domain.models.route import Route, Strategy
from domain.models.served_model import ServedModel
from domain.shared.ids import TeamId

_UNKNOWN_SIZE = TokenEstimate(prompt=1000)


@dataclass(slots=True, kw_only=True)
class Candidates:
    """The models behind a route, in the order of its strategy.

    A smaller priority always comes before a larger one; the strategy orders those that share one.
    """

    catalog: ModelCatalog
    deployments: Deployments
    clock: Clock
    _turns: dict[Hashable, SmoothWeights] = field(default_factory=dict)

    def of(self, route: Route, team_id: TeamId) -> Iterator[Candidate]:
        """What the route names, as its owner knows it, in the order in which it is written. What is
        not there any more is left out."""
        owner = route.owner or team_id
        for target in route.targets:
            model = self.catalog.find(target.model, owner)
            if model is not None:
                yield Candidate(model=model, weight=target.weight, priority=target.priority)

    def fallback_routes(
        self, route: Route, team_id: TeamId
    ) -> Iterator[tuple[ServedModel | Route, TeamId]]:
        """The models and routes that take over, each with the team in whose eyes it is what it
        is."""
        owner = route.owner or team_id
        for name in route.fallbacks:
            found = self.catalog.find(name, owner) or self.catalog.route(name, owner)
            if found is not None:
                yield found, owner

    def ordered(
        self,
        route: Route,
        candidates: Sequence[Candidate],
        estimate: TokenEstimate | None,
        *,
        is_stream: bool = True,
        behind: Route | None = None,
    ) -> list[ServedModel]:
        """``behind`` is the route whose fallback this one is: who is only held ready for calls of
        another route takes nobody's turn in its own."""
        by_priority = sorted(candidates, key=lambda one: one.priority)
        return [
            candidate.model
            for _, equals in groupby(by_priority, key=lambda one: one.priority)
            for candidate in self._by_strategy(
                route, list(equals), estimate, behind, is_stream=is_stream
            )
        ]

    def _by_strategy(
        self,
        route: Route,
        equals: list[Candidate],
        estimate: TokenEstimate | None,
        behind: Route | None,
        *,
        is_stream: bool,
    ) -> Sequence[Candidate]:
        if route.strategy is Strategy.PRIORITY or len(equals) == 1:
            return equals
        if route.strategy is Strategy.WEIGHTED:
            return self._turns_of(route, equals[0].priority, behind).order(equals)
        if route.strategy is Strategy.LOWEST_COST:
            return lowest_cost(equals, estimate or _UNKNOWN_SIZE)
        known = [(one, self.deployments.of(one.model).standing) for one in equals]
        if route.strategy is Strategy.LEAST_BUSY:
            return least_busy(known)
        return lowest_latency(known, self.clock.monotonic(), is_stream=is_stream)

    def _turns_of(self, route: Route, priority: int, behind: Route | None) -> SmoothWeights:
        ahead = None if behind is None else (behind.owner, behind.name)
        key = (route.owner, route.name, priority, ahead)
        turns = self._turns.get(key)
        if turns is None:
            turns = self._turns[key] = SmoothWeights()
        return turns
