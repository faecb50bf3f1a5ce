"""The table of answers that are kept to be given again. It is logged: an answer is worth what it
cost, and a crash would empty an unlogged table."""

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.base import Row

kept_answers = Table(
    "kept_answers",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("blocks", ARRAY(LargeBinary), nullable=False),
    Column("content_type", Text, nullable=False),
    Column("usage", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("finish_reason", Text),
    Column("worth", Numeric),
    Column("bytes", BigInteger, nullable=False),
    Column("kept_at", DateTimeUTC(timezone=True), nullable=False),
    Column("expires_at", DateTimeUTC(timezone=True), nullable=False),
    Column("scope", LargeBinary),
    Column("vector", ARRAY(REAL)),
    Index("ix_kept_answers_expires_at", "expires_at"),
    Index("ix_kept_answers_kept_at", "team_id", "kept_at"),
    Index("ix_kept_answers_scope", "team_id", "scope", "kept_at"),
)
