"""Prices of models by date."""

revision = "2026_11_21_1520_prices"
down_revision = "2026_11_21_1510_registry"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the pieces that need it."""


def downgrade() -> None:
    """The reverse of ``upgrade``."""
