"""Settings that change at run time."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_1460_settings"
down_revision = "2026_11_21_1450_limits"
branch_labels = None
depends_on = None

_ONE_OF_TWO = "(value IS NULL) <> (sealed IS NULL)"


def upgrade() -> None:
    op.create_table(
        "server_settings",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("name", name="pk_server_settings"),
        sa.CheckConstraint(_ONE_OF_TWO, name=op.f("ck_server_settings_one_value")),
    )
    op.create_table(
        "team_settings",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("team_id", "name", name="pk_team_settings"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_team_settings_team_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(_ONE_OF_TWO, name=op.f("ck_team_settings_one_value")),
    )
    op.execute(
        "INSERT INTO team_settings (team_id, name, value)"
        " SELECT id, 'content_capture', 'true' FROM teams WHERE capture_content"
    )
    op.drop_column("teams", "capture_content")


def downgrade() -> None:
    op.add_column(
        "teams", sa.Column("capture_content", sa.Boolean, nullable=False, server_default="false")
    )
    op.execute(
        "UPDATE teams SET capture_content = true FROM team_settings"
        " WHERE team_id = id AND team_settings.name = 'content_capture' AND value = 'true'"
    )
    op.alter_column("teams", "capture_content", server_default=None)
    op.drop_table("team_settings")
    op.drop_table("server_settings")
