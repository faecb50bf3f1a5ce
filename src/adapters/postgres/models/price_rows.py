"""What teams pay for models, and what the price book answered."""

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.base import Row

UQ_PRICE_OF_MODEL = "uq_prices_team_id_model_id_effective_from"
UQ_PRICE_OF_DEPLOYMENT = "uq_prices_team_id_provider_upstream_name_effective_from"
FK_PRICE_MODEL = "fk_prices_team_id_model_id"

SPECIAL_PRICES = (
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

prices = Table(
    "prices",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    # Either a model of the team's registry or a deployment of the configuration.
    Column("model_id", Uuid),
    Column("provider", Text),
    Column("upstream_name", Text),
    Column("effective_from", DateTimeUTC(timezone=True), nullable=False),
    Column("input", Numeric, nullable=False),
    Column("output", Numeric, nullable=False),
    *(Column(name, Numeric) for name in SPECIAL_PRICES),
    Column("tiers", JSONB, nullable=False),
    Column("created_at", DateTimeUTC(timezone=True), nullable=False),
    # Who set it; they may be gone since.
    Column("user_id", Uuid),
    Column("key_id", Uuid),
    ForeignKeyConstraint(
        ["team_id", "model_id"], ["models.team_id", "models.id"], ondelete="CASCADE"
    ),
    CheckConstraint(_ONE_MODEL, name="one_model"),
    UniqueConstraint("team_id", "model_id", "effective_from"),
    UniqueConstraint("team_id", "provider", "upstream_name", "effective_from"),
)

# What the book of a version said is the same for all teams, and for as long as it is that version.
price_book_answers = Table(
    "price_book_answers",
    Row.metadata,
    Column("book", Text, primary_key=True),
    Column("question", Text, primary_key=True),
    Column("answer", JSONB),
)
