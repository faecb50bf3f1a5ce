"""Technical errors."""

revision = "2026_11_21_1470_errors"
down_revision = "2026_11_21_1460_settings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
