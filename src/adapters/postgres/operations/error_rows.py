"""Technical errors, of all teams. Occurrences go by whole months, so a group outlives them."""

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text, Uuid

from adapters.postgres.base import Row
from domain.operations.technical_error import ErrorState

error_groups = Table(
    "error_groups",
    Row.metadata,
    Column("id", Uuid, primary_key=True),
    Column("fingerprint", Text, nullable=False, unique=True),
    Column("code", Text, nullable=False),
    Column("exception_type", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("route", Text),
    Column("state", Text, nullable=False),
    Column("first_seen", DateTimeUTC(timezone=True), nullable=False),
    Column("last_seen", DateTimeUTC(timezone=True), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("resolved_at", DateTimeUTC(timezone=True)),
    Column("resolved_by", Uuid),
    Column("spiked_at", DateTimeUTC(timezone=True)),
    CheckConstraint(f"state IN {tuple(map(str, ErrorState))}", name="state"),
    Index(None, "last_seen", "id"),
    Index(None, "state", "last_seen", "id"),
)

# Its team, user and key may be gone long before anybody looks, so they are no foreign keys.
error_logs = Table(
    "error_logs",
    Row.metadata,
    Column("id", Uuid, primary_key=True),
    Column("group_id", Uuid, ForeignKey("error_groups.id", ondelete="CASCADE"), nullable=False),
    Column("at", DateTimeUTC(timezone=True), nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("team_id", Uuid),
    Column("user_id", Uuid),
    Column("key_id", Uuid),
    Column("route", Text),
    Column("method", Text),
    Column("message", Text, nullable=False),
    # One that is the same as that of another occurrence of the month is stored there alone.
    Column("stack", Text),
    Column("stack_of", Uuid),
    CheckConstraint("(stack IS NULL) <> (stack_of IS NULL)", name="stack"),
    Index(None, "group_id", "id"),
    postgresql_partition_by="RANGE (id)",
)
