"""Calls whose holds come out of an allotment."""

import re

import sqlalchemy as sa
from alembic import op

from adapters.postgres.migrations import allotment_functions, hold_functions

revision = "2026_11_21_1560_allotments"
down_revision = "2026_11_21_1557_threshold_order"
branch_labels = None
depends_on = None

# Those of migration 1440 that this one replaces.
_REPLACED = ("settle_budgets", "charge_new_calls", "charge_changed_calls", "expire_budget_holds")


def upgrade() -> None:
    op.add_column("calls", sa.Column("held", sa.Numeric))
    op.add_column("calls", sa.Column("allotment_id", sa.Uuid))
    for function in allotment_functions.FUNCTIONS:
        op.execute(function)


def downgrade() -> None:
    # Allotments that are left expire as every hold does.
    for group in hold_functions.FUNCTIONS:
        for statement in group.strip().split("\n\nCREATE "):
            body = statement.removeprefix("CREATE ")
            name = re.match(r"FUNCTION (\w+)", body)
            if name is not None and name[1] in _REPLACED:
                op.execute(f"CREATE OR REPLACE {body}")
    for function in allotment_functions.DROPS:
        op.execute(f"DROP FUNCTION {function}")
    op.drop_column("calls", "allotment_id")
    op.drop_column("calls", "held")
