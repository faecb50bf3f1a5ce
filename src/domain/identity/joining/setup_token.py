from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from domain.identity.api_key import hash_secret
from domain.shared.ids import SetupTokenId

# Each start prints a new one, and the link of the start before shall still work.
KEPT_TOKENS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupToken:
    """Whoever has its secret may become the first owner of a server that belongs to nobody."""

    id: SetupTokenId
    secret_hash: bytes = field(repr=False)
    created_at: datetime

    @classmethod
    def issue(cls, *, id: SetupTokenId, secret: str, at: datetime) -> Self:  # noqa: A002
        return cls(id=id, secret_hash=hash_secret(secret), created_at=at)
