from datetime import datetime
from uuid import UUID

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Row

UQ_LIVE_KEY_NAME = "uq_api_keys_team_id_name"
FK_KEY_MEMBER = "fk_api_keys_team_id_user_id"

UQ_EMAIL = "uq_users_email"
UQ_EXTERNAL = "uq_users_external_issuer_external_subject"
PK_MEMBERSHIPS = "pk_memberships"

_ROLES = ("owner", "admin", "editor", "member", "viewer")


class TeamRow(Row):
    __tablename__ = "teams"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))


class UserRow(Row):
    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(
            "(external_issuer IS NULL) = (external_subject IS NULL)", name="external_identity"
        ),
        CheckConstraint("length(external_subject) <= 255", name="external_subject"),
        Index(UQ_EMAIL, "email", unique=True),
        Index(UQ_EXTERNAL, "external_issuer", "external_subject", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    display_name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
    email: Mapped[str | None] = mapped_column(Text)
    avatar_colour: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool]
    is_operator: Mapped[bool]
    password_hash: Mapped[str | None] = mapped_column(Text)
    external_issuer: Mapped[str | None] = mapped_column(Text)
    external_subject: Mapped[str | None] = mapped_column(Text)
    last_login_at: Mapped[datetime | None] = mapped_column(DateTimeUTC(timezone=True))


class MembershipRow(Row):
    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint(f"role IN {_ROLES}", name="role"),
        Index(None, "user_id"),
    )

    team_id: Mapped[UUID] = mapped_column(
        ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(Text)


class ApiKeyRow(Row):
    """A key belongs to a member of its team, or to nobody once that member has left. Keys are
    revoked, never deleted; they all go with their team."""

    __tablename__ = "api_keys"
    __table_args__ = (
        ForeignKeyConstraint(
            ["team_id", "user_id"],
            ["memberships.team_id", "memberships.user_id"],
            name=FK_KEY_MEMBER,
            ondelete="SET NULL (user_id)",
        ),
        Index(
            UQ_LIVE_KEY_NAME,
            "team_id",
            "name",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("uq_api_keys_secret_hash", "secret_hash", unique=True),
        Index(None, "team_id", "user_id"),
    )

    team_id: Mapped[UUID] = mapped_column(
        ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    name: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(Text)
    allowed_models: Mapped[list[str]] = mapped_column(ARRAY(Text))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTimeUTC(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTimeUTC(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTimeUTC(timezone=True))
