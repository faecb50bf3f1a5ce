"""Providers, models and routes of teams."""

revision = "2026_11_21_1510_registry"
down_revision = "2026_11_21_1500_routing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the pieces that need it."""


def downgrade() -> None:
    """The reverse of ``upgrade``."""
