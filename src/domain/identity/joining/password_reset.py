from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from domain.identity.api_key import hash_secret
from domain.shared.ids import PasswordResetId, UserId

RESET_LIVES = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset:
    """Whoever has its secret may set the user's password, once and soon."""

    id: PasswordResetId
    user_id: UserId
    secret_hash: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime

    @classmethod
    def issue(
        cls,
        *,
        id: PasswordResetId,  # noqa: A002 - the field's name
        user_id: UserId,
        secret: str,
        at: datetime,
    ) -> Self:
        return cls(
            id=id,
            user_id=user_id,
            secret_hash=hash_secret(secret),
            created_at=at,
            expires_at=at + RESET_LIVES,
        )

    def is_live(self, at: datetime) -> bool:
        return at < self.expires_at
