"""Whose registries a call made use of, and the searches that a ranking is billed as."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1570_lenders"
down_revision = "2026_11_21_1560_allotments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("lenders", sa.ARRAY(sa.Uuid)))
    op.add_column("calls", sa.Column("searches", sa.BigInteger))
    op.create_index(
        "ix_calls_lenders",
        "calls",
        ["lenders"],
        postgresql_using="gin",
        postgresql_where=sa.text("lenders IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_calls_lenders", table_name="calls")
    op.drop_column("calls", "searches")
    op.drop_column("calls", "lenders")
