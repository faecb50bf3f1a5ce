"""What teams, users and keys may use. A subject has no foreign key, since it is one of three kinds;
what is left behind by one that is gone bounds nobody."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    Numeric,
    Table,
    Text,
    Uuid,
)

from adapters.postgres.base import Row
from domain.identity.allowance import BudgetPeriod, SubjectKind

_KINDS = tuple(map(str, SubjectKind))

limits = Table(
    "limits",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Uuid, primary_key=True),
    Column("rpm", Integer),
    Column("tpm", Integer),
    Column("concurrency", Integer),
    CheckConstraint(f"subject_kind IN {_KINDS}", name="subject_kind"),
)

budgets = Table(
    "budgets",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Uuid, primary_key=True),
    Column("amount", Numeric, nullable=False),
    Column("period", Text, nullable=False),
    Column("hard", Boolean, nullable=False),
    CheckConstraint(f"subject_kind IN {_KINDS}", name="subject_kind"),
    CheckConstraint(f"period IN {tuple(map(str, BudgetPeriod))}", name="period"),
)
