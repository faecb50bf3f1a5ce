from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from adapters.postgres.base import Row

idempotent_requests = Table(
    "idempotent_requests",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("principal_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("process", BigInteger, nullable=False),
    Column("created_at", DateTimeUTC(timezone=True), nullable=False),
    Column("expires_at", DateTimeUTC(timezone=True), nullable=False),
    Column("is_answered", Boolean, nullable=False),
    Column("answer", LargeBinary),
    Index("ix_idempotent_requests_expires_at", "expires_at"),
)
