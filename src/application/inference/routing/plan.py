from dataclasses import dataclass

from domain.models.route import RetryPolicy, Route, RouteTimeouts
from domain.models.served_model import ServedModel

ONE_MODEL = RetryPolicy()
NO_TIMEOUTS = RouteTimeouts()


@dataclass(slots=True)
class Plan:
    """Which models may answer a call: ``first``, then the ``others`` of the same name, then the
    ``fallbacks``, each in the order in which they are tried. All of them can answer it.

    ``reason`` says why the first is the first, and is ``None`` where the client itself named it.
    """

    first: ServedModel
    others: tuple[ServedModel, ...] = ()
    fallbacks: tuple[ServedModel, ...] = ()
    retry: RetryPolicy = ONE_MODEL
    timeouts: RouteTimeouts = NO_TIMEOUTS
    hedge_after_s: float | None = None
    route: Route | None = None
    reason: str | None = None
    arm: str | None = None

    @property
    def most_in_vain(self) -> int:
        """How many may be too slow before the last one is asked: none of them twice."""
        return min(len(self.others) + len(self.fallbacks), self.retry.attempts - 1)
