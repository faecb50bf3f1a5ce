"""The ledger of calls."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1010_calls"
down_revision = "2026_11_21_1000_identity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("key_id", sa.Uuid),
        sa.Column("user_id", sa.Uuid),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider", sa.Text),
        sa.Column("deployment", sa.Text),
        sa.Column("input_price", sa.Numeric),
        sa.Column("output_price", sa.Numeric),
        sa.Column("cached_input_price", sa.Numeric),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("error_code", sa.Text),
        sa.Column("finish_reason", sa.Text),
        sa.Column("prompt_tokens", sa.BigInteger),
        sa.Column("cached_tokens", sa.BigInteger),
        sa.Column("completion_tokens", sa.BigInteger),
        sa.Column("reasoning_tokens", sa.BigInteger),
        sa.Column("usage_counted", sa.Boolean),
        sa.Column("cost", sa.Numeric),
        sa.Column("latency_ms", sa.Double),
        sa.Column("ttft_ms", sa.Double),
        sa.Column("provider_request_id", sa.Text),
        sa.Column("process", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("team_id", "id", name="pk_calls"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_calls_team_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "status IN ('open', 'succeeded', 'failed', 'refused', 'cancelled', 'interrupted')",
            name=op.f("ck_calls_status"),
        ),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_calls_team_id_key_id_id", "calls", ["team_id", "key_id", "id"])
    op.create_index("ix_calls_team_id_model_id", "calls", ["team_id", "model", "id"])
    op.create_index(
        "ix_calls_process_open",
        "calls",
        ["process"],
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "call_contents",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("response", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("team_id", "id", name="pk_call_contents"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_call_contents_team_id", ondelete="CASCADE"
        ),
        postgresql_partition_by="RANGE (id)",
    )


def downgrade() -> None:
    op.drop_table("call_contents")
    op.drop_table("calls")
