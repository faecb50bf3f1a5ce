from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.operations.ports import Sealed
from domain.operations.idempotency import IdempotentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRequest:
    """What is known of the request that came first under a key. ``answer`` is ``None`` where it was
    not kept."""

    fingerprint: bytes
    is_answered: bool
    answer: Sealed | None = None


class IdempotentRequests(Protocol):
    """The requests that came under a key, seen by all nodes."""

    async def claim(
        self, request: IdempotentRequest, *, at: datetime, expires_at: datetime
    ) -> KnownRequest | None:
        """Take the key for the request, durably; ``None`` when it is taken, else who has it.

        What has expired, and what was begun by a process that died before it answered, stands in
        nobody's way. Of two that come at the same time, one gets it.
        """
        ...

    async def keep(self, request: IdempotentRequest, answer: Sealed | None) -> None:
        """The request that was claimed has this answer, durably; ``None`` for one too large."""
        ...

    async def release(self, request: IdempotentRequest) -> None:
        """The request that was claimed has come to nothing: the next one is the first again."""
        ...

    async def purge(self, at: datetime) -> int:
        """Forget what has expired, and return how many there were."""
        ...

    async def trim(self, most_bytes: int) -> int:
        """Forget the oldest answers of each team that has more than so many bytes of them, and
        return how many there were. Their requests stay answered."""
        ...
