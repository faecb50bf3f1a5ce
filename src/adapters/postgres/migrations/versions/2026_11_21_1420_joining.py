"""Setup, password resets and invitations."""

revision = "2026_11_21_1420_joining"
down_revision = "2026_11_21_1410_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
