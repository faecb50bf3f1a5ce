from datetime import datetime
from uuid import UUID

from advanced_alchemy.types.datetime import DateTimeUTC
from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Row

UQ_OPEN_INVITATION = "uq_invitations_team_id_email"

_ROLES = ("owner", "admin", "editor", "member", "viewer")


class SetupTokenRow(Row):
    """It belongs to no team: whoever holds it may become the first owner of the server."""

    __tablename__ = "setup_tokens"
    __table_args__ = (Index("uq_setup_tokens_secret_hash", "secret_hash", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))


class PasswordResetRow(Row):
    """Deleted when it is used, so a row is one that may still be used."""

    __tablename__ = "password_resets"
    __table_args__ = (
        Index("uq_password_resets_secret_hash", "secret_hash", unique=True),
        Index(None, "user_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))


class InvitationRow(Row):
    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint(f"role IN {_ROLES}", name="role"),
        Index("uq_invitations_secret_hash", "secret_hash", unique=True),
        Index(
            UQ_OPEN_INVITATION,
            "team_id",
            "email",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
        Index(None, "invited_by"),
        Index(None, "accepted_by"),
    )

    team_id: Mapped[UUID] = mapped_column(
        ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
    sent_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
    accepted_at: Mapped[datetime | None] = mapped_column(DateTimeUTC(timezone=True))
    accepted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTimeUTC(timezone=True))
