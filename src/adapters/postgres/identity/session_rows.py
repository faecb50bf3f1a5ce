"""Sessions of people, and how often somebody tried to log in.

A session acts in one team of its user and goes with that membership.
"""

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
)
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Row


class SessionRow(Row):
    __tablename__ = "sessions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["team_id", "user_id"],
            ["memberships.team_id", "memberships.user_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("kind IN ('cookie', 'token')", name="kind"),
        CheckConstraint("(kind = 'cookie') = (secret_hash IS NOT NULL)", name="secret_hash"),
        Index("uq_sessions_secret_hash", "secret_hash", unique=True),
        Index(None, "user_id", "id"),
        Index(None, "team_id", "user_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    team_id: Mapped[UUID]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
    last_seen_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
    address: Mapped[str | None] = mapped_column(Text)
    user_agent: Mapped[str | None] = mapped_column(Text)
    revoked_at: Mapped[datetime | None] = mapped_column(DateTimeUTC(timezone=True))


class RefreshTokenRow(Row):
    """Used ones stay, so that using one again can be noticed."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index(None, "session_id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTimeUTC(timezone=True))


class LoginAttemptsRow(Row):
    """Of one account or one address, by a hash. ``quiet_at`` is when its attempts so far will be
    forgotten; each further one moves it on."""

    __tablename__ = "login_attempts"
    __table_args__ = (Index(None, "quiet_at"),)

    subject_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    quiet_at: Mapped[datetime] = mapped_column(DateTimeUTC(timezone=True))
