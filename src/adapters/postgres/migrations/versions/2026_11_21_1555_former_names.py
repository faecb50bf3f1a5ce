"""What models had been called before."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1555_former_names"
down_revision = "2026_11_21_1550_idempotency"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "models",
        sa.Column("former_names", sa.ARRAY(sa.Text), nullable=False, server_default="{}"),
    )


def downgrade() -> None:
    op.drop_column("models", "former_names")
