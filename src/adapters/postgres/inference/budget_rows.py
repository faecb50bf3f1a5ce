"""What becomes of budgets: see ``docs/explanation/budgets.md``.

`budget_periods` are the accounts: one for each budget and period, so that a call which ends after
the turn of its period is still charged to it. `budget_holds` has one row for each call that may
still cost something, whatever the number of budgets that bound it.
"""

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from adapters.postgres.base import Row

_SUBJECT = ("team_id", "subject_kind", "subject_id")

budget_periods = Table(
    "budget_periods",
    Row.metadata,
    Column("team_id", Uuid, primary_key=True),
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Uuid, primary_key=True),
    # The epoch where the budget's period is `total`.
    Column("starts_at", DateTimeUTC(timezone=True), primary_key=True),
    Column("settled", Numeric, nullable=False),
    Column("held", Numeric, nullable=False),
    # The highest threshold that was told of, in percent.
    Column("threshold", SmallInteger, nullable=False),
    ForeignKeyConstraint(_SUBJECT, [f"budgets.{name}" for name in _SUBJECT], ondelete="CASCADE"),
)

budget_holds = Table(
    "budget_holds",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("call_id", Uuid, primary_key=True),
    Column("user_id", Uuid),
    Column("key_id", Uuid),
    Column("amount", Numeric, nullable=False),
    # When the call was made, which decides what periods it belongs to.
    Column("created_at", DateTimeUTC(timezone=True), nullable=False),
    Column("expires_at", DateTimeUTC(timezone=True), nullable=False),
    Index(None, "expires_at"),
)
