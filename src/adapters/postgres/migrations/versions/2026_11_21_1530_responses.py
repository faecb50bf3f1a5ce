"""Responses that clients asked to be kept."""

revision = "2026_11_21_1530_responses"
down_revision = "2026_11_21_1520_prices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the pieces that need it."""


def downgrade() -> None:
    """The reverse of ``upgrade``."""
