"""The records of a team, partitioned by month of their UUIDv7 ids.

`audit_logs` refers to nothing: what was done is on record also after the team, the user or the key
is gone. A trigger refuses to change or delete its rows, whatever the role of the database; only a
whole month can go, by retention.
"""

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.base import Row
from domain.operations.audit import ActorKind

UQ_NOTIFICATION = "uq_notifications_team_id_user_id_event_id"

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
    Index(None, "team_id", "action", "id", postgresql_ops={"action": "text_pattern_ops"}),
    Index(None, "team_id", "user_id", "id"),
    Index(None, "team_id", "key_id", "id"),
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
    # In the order of the commits, which that of the ids is not. Given after the commit, by the
    # first who reads.
    Column("position", BigInteger),
    Index(None, "team_id", "position"),
    Index(None, "position"),
    Index("ix_events_unnumbered", "id", postgresql_where=text("position IS NULL")),
    postgresql_partition_by="RANGE (id)",
)

# How far those have come who read the events of all teams.
event_readers = Table(
    "event_readers",
    Row.metadata,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

notifications = Table(
    "notifications",
    Row.metadata,
    Column("team_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("created_at", DateTimeUTC(timezone=True), nullable=False),
    Column("read_at", DateTimeUTC(timezone=True)),
    # They go with the membership.
    ForeignKeyConstraint(
        ["team_id", "user_id"],
        ["memberships.team_id", "memberships.user_id"],
        ondelete="CASCADE",
    ),
    Index(UQ_NOTIFICATION, "team_id", "user_id", "event_id", unique=True),
    Index(None, "team_id", "user_id", "id"),
    Index(
        "ix_notifications_unread",
        "team_id",
        "user_id",
        "id",
        postgresql_where=text("read_at IS NULL"),
    ),
)
