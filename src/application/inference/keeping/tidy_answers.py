from dataclasses import dataclass

from application.inference.keeping.ports import AnswerCache
from application.shared.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class TidyAnswers:
    """Removes answers that have expired, and the oldest of teams that keep too many."""

    cache: AnswerCache
    clock: Clock

    async def __call__(self) -> int:
        return await self.cache.purge(self.clock.now())
