"""The records of a team, partitioned by month of their UUIDv7 ids.

`audit_logs` refers to nothing: what was done is on record also after the team, the user or the key
is gone. A trigger refuses to change or delete its rows, whatever the role of the database; only a
whole month can go, by retention.
"""

from advanced_alchemy.types import DateTimeUTC
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.base import Row
from domain.operations.audit import ActorKind

audit_logs = Table(
    "audit_logs",
    Row.metadata,
    Column("team_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("at", DateTimeUTC(timezone=True), nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("user_id", Uuid),
    Column("key_id", Uuid),
    Column("action", Text, nullable=False),
    Column("target_type", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("correlation_id", Text, nullable=False),
    Column("address", Text),
    Column("user_agent", Text),
    CheckConstraint(f"actor_kind IN {tuple(map(str, ActorKind))}", name="actor_kind"),
    Index(None, "team_id", "target_type", "target_id", "id"),
    postgresql_partition_by="RANGE (id)",
)

events = Table(
    "events",
    Row.metadata,
    Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("at", DateTimeUTC(timezone=True), nullable=False),
    Column("type", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("user_id", Uuid),
    Column("permission", Text),
    postgresql_partition_by="RANGE (id)",
)
