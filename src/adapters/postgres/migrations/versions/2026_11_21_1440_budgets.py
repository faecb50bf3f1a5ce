"""Budgets and what is held of them."""

revision = "2026_11_21_1440_budgets"
down_revision = "2026_11_21_1430_scopes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
