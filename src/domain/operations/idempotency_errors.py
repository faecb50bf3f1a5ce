from typing import ClassVar

from domain.shared.errors import ConflictError


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
    """The request was answered, and its answer was too large to be kept, or had to make room."""

    code = "IDEMPOTENCY_ANSWER_LOST"

    def __init__(self) -> None:
        super().__init__(
            "The request with this idempotency key was answered, but the answer could not be kept. "
            "Use a new key to ask again."
        )
