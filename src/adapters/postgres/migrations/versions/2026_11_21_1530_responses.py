"""Responses that clients asked to be kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_1530_responses"
down_revision = "2026_11_21_1520_prices"
branch_labels = None
depends_on = None

_STATUSES = ("completed", "incomplete", "failed", "cancelled")


def upgrade() -> None:
    op.create_table(
        "responses",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("key_id", sa.Uuid),
        sa.Column("user_id", sa.Uuid),
        sa.Column("previous_id", sa.Uuid),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("input", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("item_ids", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("team_id", "id", name="pk_responses"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_responses_team_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(f"status IN {_STATUSES}", name=op.f("ck_responses_status")),
    )
    op.create_index("ix_responses_item_ids", "responses", ["item_ids"], postgresql_using="gin")
    op.create_index("ix_responses_expires_at", "responses", ["expires_at"])


def downgrade() -> None:
    op.drop_table("responses")
