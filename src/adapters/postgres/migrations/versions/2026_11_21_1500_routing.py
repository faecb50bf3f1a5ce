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


def downgrade() -> None:
    op.drop_constraint(op.f(_CACHE), "calls", type_="check")
    for column in reversed(_columns()):
        op.drop_column("calls", column.name)
