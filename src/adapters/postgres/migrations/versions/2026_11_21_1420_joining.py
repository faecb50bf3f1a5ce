"""Setup tokens, password resets and invitations."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1420_joining"
down_revision = "2026_11_21_1410_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "setup_tokens",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_setup_tokens"),
    )
    op.create_index("uq_setup_tokens_secret_hash", "setup_tokens", ["secret_hash"], unique=True)
    op.create_table(
        "password_resets",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_password_resets"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_password_resets_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "uq_password_resets_secret_hash", "password_resets", ["secret_hash"], unique=True
    )
    op.create_index("ix_password_resets_user_id", "password_resets", ["user_id"])
    _create_invitations()


def _create_invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("invited_by", sa.Uuid),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True)),
        sa.Column("accepted_by", sa.Uuid),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("team_id", "id", name="pk_invitations"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_invitations_team_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name="fk_invitations_invited_by", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["accepted_by"], ["users.id"], name="fk_invitations_accepted_by", ondelete="SET NULL"
        ),
        sa.CheckConstraint(
            "role IN ('owner', 'admin', 'editor', 'member', 'viewer')",
            name=op.f("ck_invitations_role"),
        ),
    )
    op.create_index("uq_invitations_secret_hash", "invitations", ["secret_hash"], unique=True)
    op.create_index(
        "uq_invitations_team_id_email",
        "invitations",
        ["team_id", "email"],
        unique=True,
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_index("ix_invitations_invited_by", "invitations", ["invited_by"])
    op.create_index("ix_invitations_accepted_by", "invitations", ["accepted_by"])


def downgrade() -> None:
    op.drop_table("invitations")
    op.drop_table("password_resets")
    op.drop_table("setup_tokens")
