"""What the ledger says of routing, and what nodes tell each other of deployments."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_1500_routing"
down_revision = "2026_11_21_1480_notifications"
branch_labels = None
depends_on = None

_CACHE = "ck_calls_cache"
_PURPOSE = "ck_limit_counters_purpose"


def _columns() -> tuple[sa.Column[Any], ...]:
    """None has a value in the rows that are there: a row without it is one that took no detour."""
    return (
        sa.Column("cache_write_price", sa.Numeric),
        sa.Column("reasoning_price", sa.Numeric),
        sa.Column("audio_input_price", sa.Numeric),
        sa.Column("audio_output_price", sa.Numeric),
        sa.Column("character_price", sa.Numeric),
        sa.Column("request_price", sa.Numeric),
        sa.Column("image_price", sa.Numeric),
        sa.Column("second_price", sa.Numeric),
        sa.Column("cache_write_tokens", sa.BigInteger),
        sa.Column("audio_input_tokens", sa.BigInteger),
        sa.Column("audio_output_tokens", sa.BigInteger),
        sa.Column("images", sa.BigInteger),
        sa.Column("seconds", sa.Numeric),
        sa.Column("characters", sa.BigInteger),
        sa.Column("routed_to", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("arm", sa.Text),
        sa.Column("attempts", postgresql.JSONB),
        sa.Column("cache", sa.Text),
        sa.Column("saved", sa.Numeric),
        sa.Column("guardrails", postgresql.JSONB),
        sa.Column("tags", postgresql.ARRAY(sa.Text)),
    )


def upgrade() -> None:
    for column in _columns():
        op.add_column("calls", column)
    op.create_check_constraint(
        op.f(_CACHE), "calls", "cache IN ('hit', 'semantic', 'miss', 'bypass')"
    )

    _count_for("'calls', 'api', 'deployment'")
    op.create_table(
        "deployment_outages",
        sa.Column("deployment", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("deployment", name="pk_deployment_outages"),
    )


def downgrade() -> None:
    op.drop_table("deployment_outages")
    # The counters are worth a minute.
    op.execute("DELETE FROM limit_counters WHERE purpose = 'deployment'")
    _count_for("'calls', 'api'")
    op.drop_constraint(op.f(_CACHE), "calls", type_="check")
    for column in reversed(_columns()):
        op.drop_column("calls", column.name)


def _count_for(purposes: str) -> None:
    op.drop_constraint(op.f(_PURPOSE), "limit_counters", type_="check")
    op.create_check_constraint(op.f(_PURPOSE), "limit_counters", f"purpose IN ({purposes})")
