from domain.shared.errors import (
    InvalidError,
    LimitExceededError,
    NotFoundError,
    UnavailableError,
    UpstreamError,
    UpstreamTimeoutError,
)


class ContextLengthExceededError(InvalidError):
    """The prompt, or the prompt and the requested answer, do not fit the model's context."""

    code = "CONTEXT_LENGTH_EXCEEDED"


class ProviderRejectedError(InvalidError):
    """A provider refused the request as wrong; its own words and codes are kept for the caller."""

    code = "PROVIDER_REJECTED"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        provider_type: str | None = None,
        provider_code: str | None = None,
    ) -> None:
        super().__init__(message, param=param)
        self.provider_type = provider_type
        self.provider_code = provider_code


class UnsupportedByModelError(InvalidError):
    """The deployment cannot do what the request asks (said, never dropped silently)."""

    code = "UNSUPPORTED_BY_MODEL"


class ProviderRateLimitedError(LimitExceededError):
    """The provider's own rate limit; ``retry_after`` is the provider's."""

    code = "PROVIDER_RATE_LIMITED"


class ProviderUnreachableError(UpstreamError):
    """The connection could not be made or broke."""

    code = "PROVIDER_UNREACHABLE"


class ProviderFailedError(UpstreamError):
    """The provider answered with a failure of its own, or with something that is no answer."""

    code = "PROVIDER_ERROR"


class ProviderCredentialsError(UpstreamError):
    """The provider refused the credentials that the gateway holds for it."""

    code = "PROVIDER_CREDENTIALS"


class ProviderTimedOutError(UpstreamTimeoutError):
    """The provider did not answer in time."""

    code = "PROVIDER_TIMEOUT"


class ProviderBusyError(UnavailableError):
    """The provider is overloaded, or the queue of a local model is full."""

    code = "PROVIDER_OVERLOADED"


class ModelLoadingError(UnavailableError):
    """The model is known but not in memory yet."""

    code = "MODEL_LOADING"


class LedgerUnavailableError(UnavailableError):
    """The call could not be written ahead, so it was not made."""

    code = "LEDGER_UNAVAILABLE"


class CallNotFoundError(NotFoundError):
    """The team's ledger has no call of that id."""

    code = "CALL_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no call with this id.")
