"""Answers that are kept: the cache, and requests that bear an idempotency key."""

revision = "2026_11_21_1540_answers"
down_revision = "2026_11_21_1530_responses"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the pieces that need it."""


def downgrade() -> None:
    """The reverse of ``upgrade``."""
