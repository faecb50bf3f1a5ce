"""Accounts of people and their sessions."""

revision = "2026_11_21_1410_people"
down_revision = "2026_11_21_1400_records"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
