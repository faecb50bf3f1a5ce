from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from domain.shared.ids import SessionId, TeamId, UserId

LIFETIME = timedelta(hours=24)
REMEMBERED_LIFETIME = timedelta(days=7)
ACCESS_TOKEN_LIFETIME = timedelta(minutes=15)

REFRESH_PREFIX = "rt-stoa-"


class SessionKind(StrEnum):
    """A browser keeps a cookie; other programs get access tokens and a token to refresh them."""

    COOKIE = "cookie"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret


@dataclass(slots=True, kw_only=True)
class Session:
    """A person who has logged in, acting in one of the teams that the person is in. Only the hash
    of a cookie's secret is known."""

    id: SessionId
    team_id: TeamId
    user_id: UserId
    kind: SessionKind
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime
    secret_hash: bytes | None = field(default=None, repr=False)
    address: str | None = None
    user_agent: str | None = None
    revoked_at: datetime | None = None

    @classmethod
    def start(
        cls,
        *,
        id: SessionId,  # noqa: A002 - the field's name
        team_id: TeamId,
        user_id: UserId,
        at: datetime,
        remember_me: bool,
        cookie_hash: bytes | None,
        address: str | None,
        user_agent: str | None,
    ) -> Self:
        """A new session, of a browser if there is the hash of a cookie's secret."""
        return cls(
            id=id,
            team_id=team_id,
            user_id=user_id,
            kind=SessionKind.TOKEN if cookie_hash is None else SessionKind.COOKIE,
            created_at=at,
            expires_at=at + (REMEMBERED_LIFETIME if remember_me else LIFETIME),
            last_seen_at=at,
            secret_hash=cookie_hash,
            address=address,
            user_agent=user_agent,
        )

    def is_live(self, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at

    def revoke(self, at: datetime) -> None:
        """End the session for good; doing it again changes nothing."""
        if self.revoked_at is None:
            self.revoked_at = at


@dataclass(slots=True, kw_only=True)
class RefreshToken:
    """Good for one new access token. Whoever uses it again has a copy, or somebody else has."""

    token_hash: bytes
    session_id: SessionId
    created_at: datetime
    used_at: datetime | None = None
