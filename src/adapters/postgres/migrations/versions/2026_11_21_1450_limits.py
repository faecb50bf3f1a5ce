"""Limits and their counters."""

revision = "2026_11_21_1450_limits"
down_revision = "2026_11_21_1440_budgets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
