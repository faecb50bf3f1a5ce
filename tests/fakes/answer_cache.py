from datetime import datetime

from application.inference.keeping.ports import (
    AnswerCache,
    AnswerToKeep,
    KeptAnswer,
    Meaning,
    Nearest,
)
from domain.shared.errors import UnavailableError
from domain.shared.ids import TeamId


class InMemoryAnswerCache(AnswerCache):
    """``is_away`` makes it fail as a database does that cannot be reached."""

    def __init__(self, most_of_team: int = 10_000) -> None:
        self.kept: dict[tuple[TeamId, bytes], AnswerToKeep] = {}
        self.is_away = False
        self.asked = 0
        self._most_of_team = most_of_team

    async def find(self, team_id: TeamId, key: bytes, at: datetime) -> KeptAnswer | None:
        self._ask()
        found = self.kept.get((team_id, key))
        return found.answer if found is not None and found.expires_at > at else None

    async def nearest(self, team_id: TeamId, meaning: Meaning, at: datetime) -> Nearest | None:
        self._ask()
        near = [
            Nearest(answer=one.answer, similarity=_cosine(one.meaning, meaning))
            for (owner, _), one in self.kept.items()
            if owner == team_id
            and one.expires_at > at
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


def _cosine(one: Meaning, other: Meaning) -> float:
    return sum(a * b for a, b in zip(one.vector, other.vector, strict=True))
