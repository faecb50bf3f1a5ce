from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.inference.routing.candidate import Candidate


@dataclass(slots=True)
class SmoothWeights:
    """Weighted turns without bursts: with weights 5, 1 and 1 the first is chosen five times of
    seven, but never five times in a row. Candidates may come and go from one turn to the next."""

    credits: dict[str, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)

    def order(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The one whose turn it is first, then the others by how soon theirs would be."""
        earned = {one.model.name: one.weight for one in candidates}
        if not earned.items() <= self.weights.items():
            self._learn(earned)
        for name, weight in earned.items():
            self.credits[name] = self.credits.get(name, 0) + weight
        # The sort is stable: among equals the order of the route decides.
        ordered = sorted(candidates, key=lambda one: -self.credits[one.model.name])
        if ordered:
            self.credits[ordered[0].model.name] -= sum(earned.values())
        return ordered

    def _learn(self, earned: dict[str, int]) -> None:
        """What was earned by other weights would count for too much or too little by the new."""
        if any(self.weights.get(name, weight) != weight for name, weight in earned.items()):
            self.credits.clear()
            self.weights.clear()
        self.weights.update(earned)
