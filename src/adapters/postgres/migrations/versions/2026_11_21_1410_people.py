"""Accounts of people and their sessions."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1410_people"
down_revision = "2026_11_21_1400_records"
branch_labels = None
depends_on = None

# With what the users have who are there already.
_NEW_COLUMNS = (
    ("avatar_colour", sa.Text, "#64748b"),
    ("locale", sa.Text, "en"),
    ("is_active", sa.Boolean, "true"),
    ("is_operator", sa.Boolean, "false"),
)
_NEW_NULLABLE_TEXTS = ("email", "password_hash", "external_issuer", "external_subject")


def upgrade() -> None:
    for name, kind, present in _NEW_COLUMNS:
        op.add_column("users", sa.Column(name, kind, nullable=False, server_default=present))
        op.alter_column("users", name, server_default=None)
    for name in _NEW_NULLABLE_TEXTS:
        op.add_column("users", sa.Column(name, sa.Text))
    op.add_column("users", sa.Column("last_login_at", sa.DateTime(timezone=True)))
    op.create_check_constraint(
        op.f("ck_users_external_identity"),
        "users",
        "(external_issuer IS NULL) = (external_subject IS NULL)",
    )
    op.create_check_constraint(
        op.f("ck_users_external_subject"), "users", "length(external_subject) <= 255"
    )
    op.create_index("uq_users_email", "users", ["email"], unique=True)
    op.create_index(
        "uq_users_external_issuer_external_subject",
        "users",
        ["external_issuer", "external_subject"],
        unique=True,
    )
    # Whoever started the server operates it.
    op.execute(
        "UPDATE users SET is_operator = true WHERE id = (SELECT id FROM users ORDER BY id LIMIT 1)"
    )
    _create_sessions()
    _create_refresh_tokens()
    _create_login_attempts()


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("user_agent", sa.Text),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_sessions_user_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "user_id"],
            ["memberships.team_id", "memberships.user_id"],
            name="fk_sessions_team_id_user_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("kind IN ('cookie', 'token')", name=op.f("ck_sessions_kind")),
        sa.CheckConstraint(
            "(kind = 'cookie') = (secret_hash IS NOT NULL)", name=op.f("ck_sessions_secret_hash")
        ),
    )
    op.create_index("uq_sessions_secret_hash", "sessions", ["secret_hash"], unique=True)
    op.create_index("ix_sessions_user_id_id", "sessions", ["user_id", "id"])
    op.create_index("ix_sessions_team_id_user_id", "sessions", ["team_id", "user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def _create_refresh_tokens() -> None:
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("token_hash", name="pk_refresh_tokens"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_refresh_tokens_session_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])


def _create_login_attempts() -> None:
    op.create_table(
        "login_attempts",
        sa.Column("subject_hash", sa.LargeBinary, nullable=False),
        sa.Column("quiet_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_hash", name="pk_login_attempts"),
    )
    op.create_index("ix_login_attempts_quiet_at", "login_attempts", ["quiet_at"])


def downgrade() -> None:
    op.drop_table("login_attempts")
    op.drop_table("refresh_tokens")
    op.drop_table("sessions")
    op.drop_index("uq_users_external_issuer_external_subject", "users")
    op.drop_index("uq_users_email", "users")
    op.drop_constraint("ck_users_external_subject", "users")
    op.drop_constraint("ck_users_external_identity", "users")
    for name in ("last_login_at", *_NEW_NULLABLE_TEXTS, *(name for name, *_ in _NEW_COLUMNS)):
        op.drop_column("users", name)
