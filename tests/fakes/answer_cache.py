from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from application.inference.keeping.ports import (
    AnswerCache,
    AnswerForms,
    AnswerToKeep,
    KeptAnswer,
    Meaning,
    Moment,
    Nearest,
    Whereabouts,
)
from application.inference.keeping.shared_asking import Place, SharedAsking
from application.inference.ports import Operation
from domain.inference.call import Call
from domain.models.served_model import ServedModel
from domain.shared.errors import UnavailableError
from domain.shared.ids import CallId, TeamId


class InMemoryAnswerCache(AnswerCache):
    """``is_away`` makes it fail as a database does that cannot be reached."""

    def __init__(self, most_of_team: int = 10_000) -> None:
        self.kept: dict[tuple[TeamId, bytes], AnswerToKeep] = {}
        self.is_away = False
        self.asked = 0
        self._most_of_team = most_of_team

    async def find(
        self, team_id: TeamId, keys: Sequence[bytes], moment: Moment
    ) -> tuple[bytes, KeptAnswer] | None:
        self._ask()
        for key in keys:
            found = self.kept.get((team_id, key))
            if found is not None and _counts(found, moment):
                return key, found.answer
        return None

    async def nearest(self, team_id: TeamId, meaning: Meaning, moment: Moment) -> Nearest | None:
        self._ask()
        near = [
            Nearest(answer=one.answer, similarity=_cosine(one.meaning, meaning))
            for (owner, _), one in self.kept.items()
            if owner == team_id
            and _counts(one, moment)
            and one.meaning is not None
            and one.meaning.scope == meaning.scope
            and len(one.meaning.vector) == len(meaning.vector)
        ]
        return max(near, key=lambda one: one.similarity, default=None)

    def keep(self, kept: AnswerToKeep) -> None:
        self.kept[kept.team_id, kept.key] = kept

    async def purge(self, at: datetime) -> int:
        gone = {place for place, one in self.kept.items() if one.expires_at <= at}
        for team_id in {team_id for team_id, _ in self.kept}:
            own = [one for one in self.kept.values() if one.team_id == team_id]
            own.sort(key=lambda one: one.answer.kept_at, reverse=True)
            gone |= {(team_id, one.key) for one in own[self._most_of_team :]}
        for place in gone:
            del self.kept[place]
        return len(gone)

    def _ask(self) -> None:
        self.asked += 1
        if self.is_away:
            raise UnavailableError("The cache is away.")


class JoinedForms(AnswerForms):
    """Chats say the same in one piece and in blocks."""

    def recast(
        self, operation: Operation, question: bytes, kept: KeptAnswer, *, stream: bool
    ) -> tuple[bytes, ...] | None:
        return (b"".join(kept.blocks),) if operation is Operation.CHAT else None


@dataclass(kw_only=True)
class WatchedAsking(SharedAsking):
    """``joined`` counts those that have come, ``led`` are the calls that others wait for."""

    joined: int = 0

    @property
    def led(self) -> dict[CallId, Place]:
        return self._by_call

    async def join(self, place: Place, call: Call, patience_s: float) -> KeptAnswer | None:
        self.joined += 1
        return await super().join(place, call, patience_s)


class Neighbourhood(Whereabouts):
    """``moved`` are providers and where they are now."""

    def __init__(self) -> None:
        self.moved: dict[str, str] = {}

    def identity(self, model: ServedModel) -> str:
        return self.moved.get(model.provider, "")


def _counts(kept: AnswerToKeep, moment: Moment) -> bool:
    return kept.expires_at > moment.at and moment.allows(kept.answer)


def _cosine(one: Meaning, other: Meaning) -> float:
    return sum(a * b for a, b in zip(one.vector, other.vector, strict=True))
