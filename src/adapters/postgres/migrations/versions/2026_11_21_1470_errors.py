"""Technical errors, and what reading and keeping the audit log needs.

A trigger for TRUNCATE is not inherited, so that each month of the audit log gets its own; months
that come later get theirs when they are made.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1470_errors"
down_revision = "2026_11_21_1460_settings"
branch_labels = None
depends_on = None

_AUDIT_INDEXES = {
    "ix_audit_logs_team_id_action_id": (
        ["team_id", "action", "id"],
        {"action": "text_pattern_ops"},
    ),
    "ix_audit_logs_team_id_user_id_id": (["team_id", "user_id", "id"], {}),
    "ix_audit_logs_team_id_key_id_id": (["team_id", "key_id", "id"], {}),
}
_MONTHS = (
    "SELECT c.oid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = 'audit_logs'::regclass"
)


def upgrade() -> None:
    op.create_table(
        "error_groups",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("exception_type", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("route", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True)),
        sa.Column("resolved_by", sa.Uuid),
        sa.Column("spiked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_error_groups"),
        sa.UniqueConstraint("fingerprint", name="uq_error_groups_fingerprint"),
        sa.CheckConstraint(
            "state IN ('open', 'resolved', 'ignored')", name=op.f("ck_error_groups_state")
        ),
    )
    op.create_index("ix_error_groups_last_seen_id", "error_groups", ["last_seen", "id"])
    op.create_index(
        "ix_error_groups_state_last_seen_id", "error_groups", ["state", "last_seen", "id"]
    )
    op.create_table(
        "error_logs",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("group_id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("team_id", sa.Uuid),
        sa.Column("user_id", sa.Uuid),
        sa.Column("key_id", sa.Uuid),
        sa.Column("route", sa.Text),
        sa.Column("method", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("stack", sa.Text),
        sa.Column("stack_of", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_error_logs"),
        sa.CheckConstraint(
            "(stack IS NULL) <> (stack_of IS NULL)", name=op.f("ck_error_logs_stack")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["error_groups.id"], name="fk_error_logs_group_id", ondelete="CASCADE"
        ),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_error_logs_group_id_id", "error_logs", ["group_id", "id"])
    for name, (columns, operators) in _AUDIT_INDEXES.items():
        op.create_index(name, "audit_logs", columns, postgresql_ops=operators)
    for month in op.get_bind().scalars(sa.text(_MONTHS)).all():
        op.execute(
            f"CREATE OR REPLACE TRIGGER tr_audit_logs_no_truncate BEFORE TRUNCATE ON {month}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_the_audit_log()"
        )


def downgrade() -> None:
    for month in op.get_bind().scalars(sa.text(_MONTHS)).all():
        op.execute(f"DROP TRIGGER IF EXISTS tr_audit_logs_no_truncate ON {month}")
    for name in _AUDIT_INDEXES:
        op.drop_index(name, "audit_logs")
    op.drop_table("error_logs")
    op.drop_table("error_groups")
