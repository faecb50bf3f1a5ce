from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.identity.allowance_rows import budgets
from adapters.postgres.identity.allowance_rows import limits as limits_table
from adapters.postgres.identity.announcement import announce
from adapters.postgres.identity.bounding import LIMITS, TERMS, allowance_of, bounding, bounding_of
from application.identity.allowance_ports import Allowances
from domain.identity.allowance import Allowance, BudgetTerms, Limits, Subject, SubjectKind
from domain.shared.ids import KeyId, TeamId, UserId

# It keeps the budget's account too: see the functions of migration 1440.
_SET_BUDGET = text(
    "SELECT set_budget(:team, :kind, :subject, CAST(:amount AS numeric), CAST(:period AS text),"
    " CAST(:hard AS boolean), CAST(:at AS timestamptz))"
)


class PostgresAllowances(Allowances):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, team_id: TeamId, subject: Subject) -> Allowance:
        return (await self.of(team_id, subject.kind, [subject.id]))[subject.id]

    async def of(
        self, team_id: TeamId, kind: SubjectKind, ids: Collection[UUID]
    ) -> Mapping[UUID, Allowance]:
        found: dict[UUID, dict[str, Any]] = {subject_id: {} for subject_id in ids}
        with translated():
            for table, names in ((limits_table, LIMITS), (budgets, TERMS)) if ids else ():
                rows = await self._session.execute(
                    select(table).where(
                        table.c.team_id == team_id,
                        table.c.subject_kind == str(kind),
                        table.c.subject_id.in_(ids),
                    )
                )
                for row in rows.mappings():
                    found[row["subject_id"]].update({name: row[name] for name in names})
        return {
            subject_id: allowance_of(Subject(kind, subject_id), values)
            for subject_id, values in found.items()
        }

    async def bounding(
        self, team_id: TeamId, user_id: UserId | None, key_id: KeyId | None
    ) -> tuple[Allowance, ...]:
        with translated():
            value = await self._session.scalar(select(bounding(team_id, user_id, key_id)))
        return bounding_of(value)

    async def set_limits(self, team_id: TeamId, subject: Subject, limits: Limits | None) -> None:
        with translated():
            if limits is None:
                await self._session.execute(
                    delete(limits_table).where(
                        limits_table.c.team_id == team_id,
                        limits_table.c.subject_kind == str(subject.kind),
                        limits_table.c.subject_id == subject.id,
                    )
                )
            else:
                values = {name: getattr(limits, name) for name in LIMITS}
                await self._session.execute(
                    insert(limits_table)
                    .values(
                        team_id=team_id,
                        subject_kind=str(subject.kind),
                        subject_id=subject.id,
                        **values,
                    )
                    .on_conflict_do_update(constraint=limits_table.primary_key, set_=values)
                )
            await announce(self._session, team_id)

    async def set_budget(
        self, team_id: TeamId, subject: Subject, terms: BudgetTerms | None, *, at: datetime
    ) -> None:
        with translated():
            await self._session.execute(
                _SET_BUDGET,
                {
                    "team": team_id,
                    "kind": str(subject.kind),
                    "subject": subject.id,
                    "amount": None if terms is None else terms.amount,
                    "period": None if terms is None else str(terms.period),
                    "hard": None if terms is None else terms.hard,
                    "at": at,
                },
            )
            await announce(self._session, team_id)
