from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.identity.allowance import Allowance, BudgetTerms, Limits, Subject, SubjectKind
from domain.shared.ids import KeyId, TeamId, UserId


class Allowances(Protocol):
    """How much the subjects of a team may use. Every change makes all nodes forget what they knew
    of the team's credentials when the unit of work commits."""

    async def get(self, team_id: TeamId, subject: Subject) -> Allowance:
        """What is set on the subject; nothing, if it has nothing or does not exist."""
        ...

    async def of(
        self, team_id: TeamId, kind: SubjectKind, ids: Collection[UUID]
    ) -> Mapping[UUID, Allowance]:
        """What is set on each of these subjects, by their ids."""
        ...

    async def bounding(
        self, team_id: TeamId, user_id: UserId | None, key_id: KeyId | None
    ) -> tuple[Allowance, ...]:
        """All that bounds a caller: of the team, the user and the key, what has something set."""
        ...

    async def set_limits(self, team_id: TeamId, subject: Subject, limits: Limits | None) -> None:
        """Set or take away the limits; that the subject exists is for the caller to check."""
        ...

    async def set_budget(
        self, team_id: TeamId, subject: Subject, terms: BudgetTerms | None, *, at: datetime
    ) -> None:
        """Set or take away the budget. What the subject's calls of the present period have cost
        already counts from the first moment."""
        ...
