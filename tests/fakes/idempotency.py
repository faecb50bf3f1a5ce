from dataclasses import replace
from datetime import datetime

from application.operations.idempotency.ports import IdempotentRequests, KnownRequest
from application.operations.ports import Sealed
from domain.operations.idempotency import IdempotentRequest


class InMemoryIdempotentRequests(IdempotentRequests):
    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[KnownRequest, datetime]] = {}

    async def claim(
        self, request: IdempotentRequest, *, at: datetime, expires_at: datetime
    ) -> KnownRequest | None:
        known = self._known.get(_identity(request))
        if known is not None and known[1] > at:
            return known[0]
        claimed = KnownRequest(fingerprint=request.fingerprint, is_answered=False)
        self._known[_identity(request)] = claimed, expires_at
        return None

    async def keep(self, request: IdempotentRequest, answer: Sealed | None) -> None:
        _, expires_at = self._known[_identity(request)]
        kept = KnownRequest(fingerprint=request.fingerprint, is_answered=True, answer=answer)
        self._known[_identity(request)] = kept, expires_at

    async def release(self, request: IdempotentRequest) -> None:
        self._known.pop(_identity(request), None)

    async def purge(self, at: datetime) -> int:
        expired = [name for name, (_, expires_at) in self._known.items() if expires_at <= at]
        for name in expired:
            del self._known[name]
        return len(expired)

    async def trim(self, most_bytes: int) -> int:
        trimmed = 0
        for team_id in {name[0] for name in self._known}:
            left = most_bytes
            for name in reversed([one for one in self._known if one[0] == team_id]):
                known, expires_at = self._known[name]
                left -= 0 if known.answer is None else len(known.answer.ciphertext)
                if left < 0 and known.answer is not None:
                    self._known[name] = replace(known, answer=None), expires_at
                    trimmed += 1
        return trimmed


def _identity(request: IdempotentRequest) -> tuple[object, ...]:
    return request.team_id, request.principal_id, request.key
