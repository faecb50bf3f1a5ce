"""API keys as service accounts with scopes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_1430_scopes"
down_revision = "2026_11_21_1420_joining"
branch_labels = None
depends_on = None

_MEMBER = "fk_api_keys_team_id_user_id"

# Until now a key for all models could do everything, and one with an allow-list just call models.
_GIVE_SCOPES = """
UPDATE api_keys SET scopes = CASE WHEN allowed_models = ARRAY['*'] THEN ARRAY[
    'models.invoke', 'calls.read', 'team.read', 'keys.own', 'keys.manage', 'team.manage',
    'members.manage', 'owners.manage', 'limits.manage', 'settings.read', 'settings.manage',
    'audit.read', 'server.manage', 'errors.read', 'errors.manage'
] ELSE ARRAY['models.invoke', 'calls.read'] END
"""
_GIVE_BACK_TO_OWNERS = """
UPDATE api_keys SET user_id = (
    SELECT user_id FROM memberships
    WHERE memberships.team_id = api_keys.team_id AND role = 'owner' ORDER BY user_id LIMIT 1
) WHERE user_id IS NULL
"""


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("scopes", postgresql.ARRAY(sa.Text)))
    op.execute(_GIVE_SCOPES)
    op.alter_column("api_keys", "scopes", nullable=False)
    op.alter_column("api_keys", "user_id", nullable=True)
    _refer_to_members(on_delete="SET NULL (user_id)")


def downgrade() -> None:
    op.execute(_GIVE_BACK_TO_OWNERS)
    _refer_to_members(on_delete=None)
    op.alter_column("api_keys", "user_id", nullable=False)
    op.drop_column("api_keys", "scopes")


def _refer_to_members(*, on_delete: str | None) -> None:
    op.drop_constraint(_MEMBER, "api_keys", type_="foreignkey")
    op.create_foreign_key(
        _MEMBER,
        "api_keys",
        "memberships",
        ["team_id", "user_id"],
        ["team_id", "user_id"],
        ondelete=on_delete,
    )
