from enum import Enum

from domain.inference.errors import (
    ContextLengthExceededError,
    ModelLoadingError,
    OutputSchemaError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    UnsupportedByModelError,
)
from domain.models.served_model import ServedModel
from domain.shared.errors import UpstreamError, UpstreamTimeoutError


class Remedy(Enum):
    """What may help a call whose attempt at a deployment went wrong."""

    NOTHING = "nothing"
    LARGER = "larger"
    ELSEWHERE = "elsewhere"
    AGAIN = "again"


# The first that fits counts. What is not named here is the client's own mistake, or a mistake of
# the gateway, and would be the same everywhere.
_REMEDIES: tuple[tuple[type[BaseException], Remedy], ...] = (
    (ContextLengthExceededError, Remedy.LARGER),
    (UnsupportedByModelError, Remedy.ELSEWHERE),
    (ProviderCredentialsError, Remedy.ELSEWHERE),
    # The time is gone, and the provider may still be at it.
    (UpstreamTimeoutError, Remedy.ELSEWHERE),
    (UpstreamError, Remedy.AGAIN),
    (ProviderRateLimitedError, Remedy.AGAIN),
    (ProviderBusyError, Remedy.AGAIN),
    (ModelLoadingError, Remedy.AGAIN),
)


def remedy_for(error: BaseException) -> Remedy:
    if isinstance(error, ProviderFailedError):
        return Remedy.AGAIN if error.may_pass else Remedy.ELSEWHERE
    return next((remedy for kind, remedy in _REMEDIES if isinstance(error, kind)), Remedy.NOTHING)


def is_fault(error: BaseException, model: ServedModel) -> bool:
    """Whether the error says that something is wrong with the deployment itself. A queue that is
    full on this machine is no fault: it is shorter in a moment, and the model works. Nor is what a
    route demands of answers."""
    if isinstance(error, OutputSchemaError):
        return False
    if isinstance(error, ProviderBusyError):
        return not model.runs_here
    return isinstance(error, UpstreamError | UpstreamTimeoutError)
