"""API keys as service accounts with scopes."""

revision = "2026_11_21_1430_scopes"
down_revision = "2026_11_21_1420_joining"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
