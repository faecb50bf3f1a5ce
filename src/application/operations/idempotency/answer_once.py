import asyncio
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import timedelta

import structlog

from application.operations.idempotency.ports import IdempotentRequests
from application.operations.ports import RuntimeSettings, Sealed, SecretBox
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from application.shared.ports import Clock
from domain.operations.errors import SecretUnreadableError
from domain.operations.idempotency import IdempotentRequest
from domain.operations.idempotency_errors import (
    IdempotencyAnswerLostError,
    IdempotencyInProgressError,
    IdempotencyKeyReusedError,
)
from domain.operations.idempotency_settings import IDEMPOTENCY_HOURS, IDEMPOTENCY_MEGABYTES
from domain.shared.errors import StoaError

log = structlog.get_logger()

MEGABYTE = 1_000_000
# What takes milliseconds to encrypt is encrypted beside the loop.
LARGE_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOnce:
    """Sees to it that what is asked under an idempotency key is done once.

    Answers are encrypted while they are kept, since some have secrets in them. An answer is opaque
    here: it is whatever the door needs to give it again.
    """

    requests: IdempotentRequests
    box: SecretBox
    settings: RuntimeSettings
    clock: Clock
    reporter: ErrorReporter

    async def begin(self, request: IdempotentRequest) -> bytes | None:
        """The answer that there is already; ``None`` for a request that is to be done now, which
        ``keep`` or ``release`` has to end. Raises ``IdempotencyConflictError``."""
        now = self.clock.now()
        expires_at = now + timedelta(hours=self.settings.get(IDEMPOTENCY_HOURS))
        known = await self.requests.claim(request, at=now, expires_at=expires_at)
        if known is None:
            return None
        if known.fingerprint != request.fingerprint:
            raise IdempotencyKeyReusedError
        if not known.is_answered:
            raise IdempotencyInProgressError
        if known.answer is None:
            raise IdempotencyAnswerLostError
        return await self._opened(request, known.answer)

    async def keep(self, request: IdempotentRequest, answer: bytes | None) -> None:
        """``None`` for an answer that is too large to be kept. What was done is not undone by not
        being kept: a failure is put on record, and the client gets its answer."""
        try:
            sealed = None if answer is None else await self._sealed(request, answer)
            await self.requests.keep(request, sealed)
        except StoaError as error:
            self._report(error)

    async def release(self, request: IdempotentRequest) -> None:
        """It came to nothing. If that cannot be said, it is on record, and the key is free once the
        request has expired or its process is gone."""
        try:
            await self.requests.release(request)
        except StoaError as error:
            self._report(error)

    async def _sealed(self, request: IdempotentRequest, answer: bytes) -> Sealed:
        def seal() -> Sealed:
            return self.box.seal(b64encode(answer).decode(), place=request.place)

        return seal() if len(answer) < LARGE_BYTES else await asyncio.to_thread(seal)

    async def _opened(self, request: IdempotentRequest, answer: Sealed) -> bytes:
        def unseal() -> bytes:
            return b64decode(self.box.open(answer, place=request.place))

        try:
            is_small = len(answer.ciphertext) < LARGE_BYTES
            return unseal() if is_small else await asyncio.to_thread(unseal)
        except SecretUnreadableError as error:
            # The secret key was changed since.
            self._report(error)
            raise IdempotencyAnswerLostError from error

    def _report(self, error: StoaError) -> None:
        log.error("idempotency.not_ended", code=error.code, reason=error.message)
        self.reporter.report(error, Circumstances(route="idempotency"))

    async def purge(self) -> int:
        """Forget the requests whose time is over, and the answers that are too many."""
        purged = await self.requests.purge(self.clock.now())
        trimmed = await self.requests.trim(self.settings.get(IDEMPOTENCY_MEGABYTES) * MEGABYTE)
        if trimmed:
            log.warning("idempotency.answers_trimmed", answers=trimmed)
        return purged
