from application.inference.call_in_flight import CallInFlight
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderRateLimitedError,
    ProviderRejectedError,
)

_REFUSALS = (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderRateLimitedError,
    ProviderRejectedError,
)


def forget_estimate(flight: CallInFlight, error: BaseException) -> None:
    """A provider that takes a request and then refuses it in its stream has done no work: it bills
    what it says, if it says anything, and not what was estimated meanwhile."""
    report = flight.awaited
    if report is None or not report.usage.counted or not isinstance(error, _REFUSALS):
        return
    error.provider_request_id = error.provider_request_id or report.provider_request_id
    flight.awaited = None
