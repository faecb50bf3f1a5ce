"""What teams pay for models, what the price book was asked, and cache writes for an hour."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_1520_prices"
down_revision = "2026_11_21_1510_registry"
branch_labels = None
depends_on = None

_PRICES = (
    "cached_input",
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "audio_input",
    "audio_output",
    "character",
    "request",
    "image",
    "second",
)
_ONE_MODEL = (
    "(model_id IS NULL) <> (provider IS NULL) AND (provider IS NULL) = (upstream_name IS NULL)"
)


def upgrade() -> None:
    # None has a value in the rows that are there.
    op.add_column("calls", sa.Column("cache_write_1h_price", sa.Numeric))
    op.add_column("calls", sa.Column("cache_write_1h_tokens", sa.BigInteger))
    _create_prices()
    op.create_table(
        "price_book_answers",
        sa.Column("book", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", postgresql.JSONB),
        sa.PrimaryKeyConstraint("book", "question", name="pk_price_book_answers"),
    )


def downgrade() -> None:
    op.drop_table("price_book_answers")
    op.drop_table("prices")
    op.drop_column("calls", "cache_write_1h_tokens")
    op.drop_column("calls", "cache_write_1h_price")


def _create_prices() -> None:
    op.create_table(
        "prices",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("model_id", sa.Uuid),
        sa.Column("provider", sa.Text),
        sa.Column("upstream_name", sa.Text),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("input", sa.Numeric, nullable=False),
        sa.Column("output", sa.Numeric, nullable=False),
        *(sa.Column(name, sa.Numeric) for name in _PRICES),
        sa.Column("tiers", postgresql.JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("key_id", sa.Uuid),
        sa.PrimaryKeyConstraint("team_id", "id", name="pk_prices"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_prices_team_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "model_id"],
            ["models.team_id", "models.id"],
            name="fk_prices_team_id_model_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(_ONE_MODEL, name=op.f("ck_prices_one_model")),
        sa.UniqueConstraint(
            "team_id",
            "model_id",
            "effective_from",
            name="uq_prices_team_id_model_id_effective_from",
        ),
        sa.UniqueConstraint(
            "team_id",
            "provider",
            "upstream_name",
            "effective_from",
            name="uq_prices_team_id_provider_upstream_name_effective_from",
        ),
    )
