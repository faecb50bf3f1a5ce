"""Requests that are done once, however often they are sent.

A client that does not know whether a request arrived sends it again under the same key
(draft-ietf-httpapi-idempotency-key-header), and gets the answer of the first.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.shared.errors import ConflictError, FieldError, InvalidError
from domain.shared.ids import TeamId

HEADER = "Idempotency-Key"
MAX_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """A request under a key, which belongs to whoever sends it: ``principal_id`` is the API key or
    the user. ``fingerprint`` stands for all that the request asks."""

    team_id: TeamId
    principal_id: UUID
    key: str
    fingerprint: bytes

    def __post_init__(self) -> None:
        """Raises ``InvalidError`` for a key that is none."""
        is_readable = self.key.isascii() and self.key.isprintable()
        if not is_readable or not 0 < len(self.key) <= MAX_KEY_LENGTH:
            message = f"must have 1 to {MAX_KEY_LENGTH} printable ASCII characters"
            raise InvalidError(
                f"The header '{HEADER}' {message}.",
                param=HEADER,
                errors=(FieldError(HEADER, message),),
            )

    @property
    def place(self) -> str:
        """Where its answer belongs."""
        return f"answer {self.team_id} {self.principal_id} {self.key}"


class IdempotencyConflictError(ConflictError):
    """Nothing was done under the idempotency key. ``may_retry`` says whether the same request may
    get another answer a moment later."""

    may_retry: ClassVar[bool] = False


class IdempotencyKeyReusedError(IdempotencyConflictError):
    """The idempotency key was used for another request, whose answer this is not."""

    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__(
            "This idempotency key was used for another request. Use a new key for a new request."
        )


class IdempotencyInProgressError(IdempotencyConflictError):
    """The first request under the idempotency key is still being answered."""

    code = "IDEMPOTENCY_IN_PROGRESS"
    may_retry = True

    def __init__(self) -> None:
        super().__init__(
            "A request with this idempotency key is being answered. Its answer will be here soon."
        )


class IdempotencyAnswerLostError(IdempotencyConflictError):
    """The request was answered, and its answer was too large to be kept."""

    code = "IDEMPOTENCY_ANSWER_LOST"

    def __init__(self) -> None:
        super().__init__(
            "The request with this idempotency key was answered, but the answer was too large to "
            "be kept. Use a new key to ask again."
        )
