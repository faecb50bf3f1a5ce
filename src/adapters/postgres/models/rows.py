"""The registries of the teams. What models and routes are called stands in a table of its own, so
that the database decides who has a name."""

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.base import Row
from domain.models.registry.model import ModelState, Visibility
from domain.models.served_model import ModelKind

UQ_PROVIDER_NAME = "uq_providers_team_id_name"
PK_MODEL_NAME = "pk_model_names"
FK_MODEL_PROVIDER = "fk_models_team_id_provider_id"

_ONE_OF_TWO = "(model_id IS NULL) <> (route_id IS NULL)"


def _team() -> Column[object]:
    return Column("team_id", Uuid, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)


def _moment(name: str) -> Column[object]:
    return Column(name, DateTimeUTC(timezone=True), nullable=False)


providers = Table(
    "providers",
    Row.metadata,
    _team(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("configuration", JSONB, nullable=False),
    Column("credentials", ARRAY(Text), nullable=False),
    Column("sealed", LargeBinary),
    Column("may_reach_private", Boolean, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    UniqueConstraint("team_id", "name"),
)

models = Table(
    "models",
    Row.metadata,
    _team(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("aliases", ARRAY(Text), nullable=False),
    Column("kind", Text, nullable=False),
    Column("provider_id", Uuid, nullable=False),
    Column("upstream_name", Text, nullable=False),
    Column("capabilities", ARRAY(Text)),
    Column("context_length", BigInteger),
    Column("max_output_tokens", BigInteger),
    Column("rpm", BigInteger),
    Column("tpm", BigInteger),
    Column("concurrency", BigInteger),
    Column("visibility", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("options", JSONB, nullable=False),
    Column("former_names", ARRAY(Text), nullable=False, server_default="{}"),
    _moment("created_at"),
    _moment("updated_at"),
    ForeignKeyConstraint(["team_id", "provider_id"], ["providers.team_id", "providers.id"]),
    CheckConstraint(f"kind IN {tuple(map(str, ModelKind))}", name="kind"),
    CheckConstraint(f"visibility IN {tuple(map(str, Visibility))}", name="visibility"),
    CheckConstraint(f"state IN {tuple(map(str, ModelState))}", name="state"),
    Index(None, "team_id", "provider_id"),
)

routes = Table(
    "routes",
    Row.metadata,
    _team(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("definition", JSONB, nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
)

model_names = Table(
    "model_names",
    Row.metadata,
    _team(),
    Column("name", Text, primary_key=True),
    Column("model_id", Uuid),
    Column("route_id", Uuid),
    ForeignKeyConstraint(
        ["team_id", "model_id"], ["models.team_id", "models.id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["team_id", "route_id"], ["routes.team_id", "routes.id"], ondelete="CASCADE"
    ),
    CheckConstraint(_ONE_OF_TWO, name="one_owner"),
    Index(None, "team_id", "model_id"),
    Index(None, "team_id", "route_id"),
)
