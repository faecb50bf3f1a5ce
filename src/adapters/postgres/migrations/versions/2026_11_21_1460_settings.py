"""Settings that change at run time."""

revision = "2026_11_21_1460_settings"
down_revision = "2026_11_21_1450_limits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
