from datetime import datetime
from decimal import Decimal

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.errors import translated
from adapters.postgres.identity.allowance_rows import budgets
from adapters.postgres.inference.budget_rows import budget_periods
from application.inference.allowance_ports import BudgetReader
from domain.identity.allowance import BudgetPeriod, BudgetTerms, Subject
from domain.inference.budget import Budget
from domain.shared.ids import TeamId


class PostgresBudgetReader(BudgetReader):
    """A period in which nothing has cost anything has no account."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, team_id: TeamId, subject: Subject, at: datetime) -> Budget | None:
        account = and_(
            *(
                budget_periods.c[name] == budgets.c[name]
                for name in ("team_id", "subject_kind", "subject_id")
            ),
            budget_periods.c.starts_at == func.budget_starts_at(budgets.c.period, at),
        )
        query = (
            select(
                budgets,
                budget_periods.c.settled,
                budget_periods.c.held,
                budget_periods.c.threshold,
            )
            .outerjoin(budget_periods, account)
            .where(
                budgets.c.team_id == team_id,
                budgets.c.subject_kind == str(subject.kind),
                budgets.c.subject_id == subject.id,
            )
        )
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        terms = BudgetTerms(
            amount=row["amount"], period=BudgetPeriod(row["period"]), hard=row["hard"]
        )
        return Budget(
            subject=subject,
            terms=terms,
            starts_at=terms.period.start(at),
            settled=row["settled"] or Decimal(0),
            held=row["held"] or Decimal(0),
            threshold=row["threshold"] or 0,
        )
