from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from application.inference.routing.plan import Plan
from domain.inference.errors import RateLimitedError
from domain.inference.routing.backoff import Pause, pause_before
from domain.inference.routing.eligibility import is_larger
from domain.inference.routing.remedy import Remedy, remedy_for
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError


class Step(NamedTuple):
    """The next attempt: at which model, and after which pause."""

    model: ServedModel
    pause: Pause | None = None


class Course:
    """What is left to try for one call, after its first attempt went wrong.

    Every model of the plan has its turn before one is asked again; and one is asked again only
    after a failure that may pass, and a pause.
    """

    def __init__(self, plan: Plan, admits: Callable[[ServedModel], bool]) -> None:
        """``admits`` says whether a deployment may be asked at the moment."""
        self._retry = plan.retry
        self._fresh = deque((*plan.others, *plan.fallbacks))
        self._again: deque[Step] = deque()
        self._admits = admits
        self._failures: dict[str, int] = {}
        self._attempts = 0
        self._is_over = False
        self._errors: list[StoaError] = []
        self._limited: list[RateLimitedError] = []

    def learn(self, failed: ServedModel, error: StoaError) -> None:
        """An attempt went wrong, or was not made because the deployment is at its limits."""
        if isinstance(error, RateLimitedError):
            self._limited.append(error)
            return
        self._attempts += 1
        self._errors.append(error)
        remedy = remedy_for(error)
        if remedy is Remedy.NOTHING or self._attempts >= self._retry.attempts:
            self._is_over = True
        elif remedy is Remedy.LARGER:
            self._fresh = deque(model for model in self._fresh if is_larger(model, failed))
            self._again = deque(step for step in self._again if is_larger(step.model, failed))
        elif remedy is Remedy.AGAIN:
            self._put_off(failed, error)

    def next(self) -> Step | None:
        """``None`` if nothing is left that would be worth an attempt."""
        if self._is_over:
            return None
        while self._fresh:
            model = self._fresh.popleft()
            if self._admits(model):
                return Step(model)
        while self._again:
            step = self._again.popleft()
            if self._admits(step.model):
                return step
        return None

    @property
    def verdict(self) -> StoaError:
        """What the call ends with when something went wrong: the last failure, or, where all were
        at their limits, the limit that has to be waited for the least."""
        return self._errors[-1] if self._errors else min(self._limited, key=_wait_s)

    def _put_off(self, failed: ServedModel, error: StoaError) -> None:
        failures = self._failures[failed.name] = self._failures.get(failed.name, 0) + 1
        retry_after: float | None = getattr(error, "retry_after", None)
        pause = pause_before(self._retry, failures, retry_after)
        if pause is not None:
            self._again.append(Step(failed, pause))


def _wait_s(error: RateLimitedError) -> float:
    return float("inf") if error.retry_after is None else error.retry_after
