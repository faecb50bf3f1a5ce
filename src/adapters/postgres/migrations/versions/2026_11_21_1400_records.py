"""The audit log and the log of events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_1400_records"
down_revision = "2026_11_21_1010_calls"
branch_labels = None
depends_on = None

_APPEND_ONLY = """
CREATE FUNCTION refuse_to_rewrite_the_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "audit_logs",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("key_id", sa.Uuid),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target_type", sa.Text, nullable=False),
        sa.Column("target_id", sa.Text, nullable=False),
        sa.Column("before", postgresql.JSONB),
        sa.Column("after", postgresql.JSONB),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("user_agent", sa.Text),
        sa.PrimaryKeyConstraint("team_id", "id", name="pk_audit_logs"),
        sa.CheckConstraint(
            "actor_kind IN ('user', 'key', 'operator', 'system')",
            name=op.f("ck_audit_logs_actor_kind"),
        ),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index(
        "ix_audit_logs_team_id_target_type_target_id_id",
        "audit_logs",
        ["team_id", "target_type", "target_id", "id"],
    )
    op.execute(_APPEND_ONLY)
    for name, level in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        trigger = f"tr_audit_logs_no_{name.split()[0].lower()}"
        op.execute(
            f"CREATE TRIGGER {trigger} BEFORE {name} ON audit_logs FOR EACH {level}"
            " EXECUTE FUNCTION refuse_to_rewrite_the_audit_log()"
        )
    op.create_table(
        "events",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", postgresql.JSONB, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("permission", sa.Text),
        sa.PrimaryKeyConstraint("team_id", "id", name="pk_events"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_events_team_id", ondelete="CASCADE"
        ),
        postgresql_partition_by="RANGE (id)",
    )


def downgrade() -> None:
    op.drop_table("events")
    op.drop_table("audit_logs")
    op.execute("DROP FUNCTION refuse_to_rewrite_the_audit_log()")
