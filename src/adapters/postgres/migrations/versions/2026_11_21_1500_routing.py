"""What the ledger says of routing, and what nodes tell each other of deployments."""

revision = "2026_11_21_1500_routing"
down_revision = "2026_11_21_1480_notifications"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled by the pieces that need it."""


def downgrade() -> None:
    """The reverse of ``upgrade``."""
