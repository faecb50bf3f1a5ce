"""Notifications of users."""

revision = "2026_11_21_1480_notifications"
down_revision = "2026_11_21_1470_errors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
