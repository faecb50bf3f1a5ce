"""Answers that are kept: the cache, and requests that bear an idempotency key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_1540_answers"
down_revision = "2026_11_21_1530_responses"
branch_labels = None
depends_on = None

_CACHE = "ck_calls_cache"
# It makes finding similar questions faster, and is not worth failing for where it is not installed
# or may not be.
_VECTORS = """
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS vector;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE NOTICE 'the extension vector is not there';
END $$
"""


def upgrade() -> None:
    _uses("'hit', 'semantic', 'miss', 'bypass', 'away'")
    op.execute(_VECTORS)
    op.create_table(
        "kept_answers",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("blocks", postgresql.ARRAY(sa.LargeBinary), nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("usage", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("finish_reason", sa.Text),
        sa.Column("worth", sa.Numeric),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scope", sa.LargeBinary),
        sa.Column("vector", postgresql.ARRAY(sa.REAL)),
        sa.PrimaryKeyConstraint("team_id", "key", name="pk_kept_answers"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_kept_answers_team_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_kept_answers_expires_at", "kept_answers", ["expires_at"])
    op.create_index("ix_kept_answers_kept_at", "kept_answers", ["team_id", "kept_at"])
    op.create_index("ix_kept_answers_scope", "kept_answers", ["team_id", "scope", "kept_at"])


def downgrade() -> None:
    """The extension stays: others may use it by now."""
    op.drop_table("kept_answers")
    op.execute("UPDATE calls SET cache = 'miss' WHERE cache = 'away'")
    _uses("'hit', 'semantic', 'miss', 'bypass'")


def _uses(names: str) -> None:
    op.drop_constraint(op.f(_CACHE), "calls", type_="check")
    op.create_check_constraint(op.f(_CACHE), "calls", f"cache IN ({names})")
