"""Notifications of users, and the order in which events are delivered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_1480_notifications"
down_revision = "2026_11_21_1470_errors"
branch_labels = None
depends_on = None

# What is there already is in order: nobody writes while the schema changes.
_NUMBER_THE_PAST = """
UPDATE events SET position = past.position FROM (
    SELECT team_id, id, nextval('event_positions') AS position
    FROM (SELECT team_id, id FROM events ORDER BY id) AS ordered
) AS past
WHERE events.team_id = past.team_id AND events.id = past.id
"""


def upgrade() -> None:
    op.execute("CREATE SEQUENCE event_positions AS bigint")
    op.add_column("events", sa.Column("position", sa.BigInteger))
    op.execute(_NUMBER_THE_PAST)
    op.create_index("ix_events_team_id_position", "events", ["team_id", "position"])
    op.create_index("ix_events_position", "events", ["position"])
    op.create_index(
        "ix_events_unnumbered",
        "events",
        ["id"],
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_table(
        "event_readers",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_event_readers"),
    )
    op.create_table(
        "notifications",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("data", postgresql.JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("team_id", "id", name="pk_notifications"),
        sa.ForeignKeyConstraint(
            ["team_id", "user_id"],
            ["memberships.team_id", "memberships.user_id"],
            name="fk_notifications_team_id_user_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "uq_notifications_team_id_user_id_event_id",
        "notifications",
        ["team_id", "user_id", "event_id"],
        unique=True,
    )
    op.create_index(
        "ix_notifications_team_id_user_id_id", "notifications", ["team_id", "user_id", "id"]
    )
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["team_id", "user_id", "id"],
        postgresql_where=sa.text("read_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("notifications")
    op.drop_table("event_readers")
    for index in ("ix_events_unnumbered", "ix_events_position", "ix_events_team_id_position"):
        op.drop_index(index, "events")
    op.drop_column("events", "position")
    op.execute("DROP SEQUENCE event_positions")
