from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from application.identity.allowance_ports import Allowances
from domain.identity.allowance import Allowance, BudgetTerms, Limits, Subject, SubjectKind
from domain.shared.ids import KeyId, TeamId, UserId
from tests.fakes.identity_state import Transaction


class InMemoryAllowances(Allowances):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, team_id: TeamId, subject: Subject) -> Allowance:
        nothing = Allowance(subject=subject)
        return self._transaction.allowances().get((team_id, subject), nothing)

    async def of(
        self, team_id: TeamId, kind: SubjectKind, ids: Collection[UUID]
    ) -> Mapping[UUID, Allowance]:
        return {
            subject_id: await self.get(team_id, Subject(kind, subject_id)) for subject_id in ids
        }

    async def bounding(
        self, team_id: TeamId, user_id: UserId | None, key_id: KeyId | None
    ) -> tuple[Allowance, ...]:
        ids = {SubjectKind.TEAM: team_id, SubjectKind.USER: user_id, SubjectKind.KEY: key_id}
        found = [
            await self.get(team_id, Subject(kind, subject_id))
            for kind, subject_id in ids.items()
            if subject_id is not None
        ]
        return tuple(allowance for allowance in found if allowance.limits or allowance.budget)

    async def set_limits(self, team_id: TeamId, subject: Subject, limits: Limits | None) -> None:
        changed = replace(await self.get(team_id, subject), limits=limits)
        self._transaction.written.allowances[team_id, subject] = changed

    async def set_budget(
        self, team_id: TeamId, subject: Subject, terms: BudgetTerms | None, *, at: datetime
    ) -> None:
        changed = replace(await self.get(team_id, subject), budget=terms)
        self._transaction.written.allowances[team_id, subject] = changed
