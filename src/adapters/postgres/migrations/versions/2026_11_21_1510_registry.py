"""Providers, models and routes of teams."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_1510_registry"
down_revision = "2026_11_21_1500_routing"
branch_labels = None
depends_on = None

_KINDS = "('chat', 'embedding', 'rerank', 'moderation', 'image', 'transcription', 'speech')"


def upgrade() -> None:
    op.create_table(
        "providers",
        *_identity("providers"),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("configuration", postgresql.JSONB, nullable=False),
        sa.Column("credentials", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("may_reach_private", sa.Boolean, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.UniqueConstraint("team_id", "name", name="uq_providers_team_id_name"),
    )
    _create_models()
    op.create_table(
        "routes",
        *_identity("routes"),
        sa.Column("definition", postgresql.JSONB, nullable=False),
    )
    _create_names()


def downgrade() -> None:
    for table in ("model_names", "routes", "models", "providers"):
        op.drop_table(table)


def _identity(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=f"fk_{table}_team_id", ondelete="CASCADE"
        ),
    ]


def _create_models() -> None:
    op.create_table(
        "models",
        *_identity("models"),
        sa.Column("aliases", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("provider_id", sa.Uuid, nullable=False),
        sa.Column("upstream_name", sa.Text, nullable=False),
        sa.Column("capabilities", postgresql.ARRAY(sa.Text)),
        sa.Column("context_length", sa.BigInteger),
        sa.Column("max_output_tokens", sa.BigInteger),
        sa.Column("rpm", sa.BigInteger),
        sa.Column("tpm", sa.BigInteger),
        sa.Column("concurrency", sa.BigInteger),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("options", postgresql.JSONB, nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id", "provider_id"],
            ["providers.team_id", "providers.id"],
            name="fk_models_team_id_provider_id",
        ),
        sa.CheckConstraint(f"kind IN {_KINDS}", name=op.f("ck_models_kind")),
        sa.CheckConstraint(
            "visibility IN ('public', 'private')", name=op.f("ck_models_visibility")
        ),
        sa.CheckConstraint(
            "state IN ('enabled', 'disabled', 'archived')", name=op.f("ck_models_state")
        ),
    )
    op.create_index("ix_models_team_id_provider_id", "models", ["team_id", "provider_id"])


def _create_names() -> None:
    op.create_table(
        "model_names",
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("model_id", sa.Uuid),
        sa.Column("route_id", sa.Uuid),
        sa.PrimaryKeyConstraint("team_id", "name", name="pk_model_names"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name="fk_model_names_team_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "model_id"],
            ["models.team_id", "models.id"],
            name="fk_model_names_team_id_model_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "route_id"],
            ["routes.team_id", "routes.id"],
            name="fk_model_names_team_id_route_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "(model_id IS NULL) <> (route_id IS NULL)", name=op.f("ck_model_names_one_owner")
        ),
    )
    op.create_index("ix_model_names_team_id_model_id", "model_names", ["team_id", "model_id"])
    op.create_index("ix_model_names_team_id_route_id", "model_names", ["team_id", "route_id"])
