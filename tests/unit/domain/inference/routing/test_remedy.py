import pytest

from domain.inference.errors import (
    ContextLengthExceededError,
    LedgerUnavailableError,
    ModelLoadingError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderTimedOutError,
    ProviderUnreachableError,
    UnsupportedByModelError,
)
from domain.inference.routing.backoff import Pause, pause_before
from domain.inference.routing.remedy import Remedy, is_fault, remedy_for
from domain.models.route import RetryPolicy
from tests.builders import a_model

POLICY = RetryPolicy(backoff_ms=200, max_backoff_ms=1000)


@pytest.mark.parametrize(
    ("error", "remedy", "fault"),
    [
        (ContextLengthExceededError("x"), Remedy.LARGER, False),
        (UnsupportedByModelError("x"), Remedy.ELSEWHERE, False),
        (ProviderCredentialsError("x"), Remedy.ELSEWHERE, True),
        (ProviderTimedOutError("x"), Remedy.ELSEWHERE, True),
        (ProviderFailedError("x", may_pass=True), Remedy.AGAIN, True),
        (ProviderFailedError("what it made cannot be read"), Remedy.ELSEWHERE, True),
        (ProviderUnreachableError("x"), Remedy.AGAIN, True),
        (ProviderRateLimitedError("x"), Remedy.AGAIN, False),
        (ProviderBusyError("x"), Remedy.AGAIN, True),
        (ModelLoadingError("x"), Remedy.AGAIN, False),
        (ProviderRejectedError("x"), Remedy.NOTHING, False),
        (LedgerUnavailableError("x"), Remedy.NOTHING, False),
        (ValueError("a bug"), Remedy.NOTHING, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_failure_has_its_remedy(error: Exception, remedy: Remedy, fault: bool) -> None:
    assert remedy_for(error) is remedy
    assert is_fault(error, a_model()) is fault


def test_a_full_queue_of_this_machine_is_no_fault() -> None:
    assert not is_fault(ProviderBusyError("full"), a_model(runs_here=True))


def test_the_pause_doubles_up_to_its_limit() -> None:
    pauses = [pause_before(POLICY, n, None) for n in (1, 2, 3, 4)]

    assert pauses == [Pause(0.1, 0.2), Pause(0.2, 0.4), Pause(0.4, 0.8), Pause(0.5, 1.0)]


@pytest.mark.parametrize(
    ("failures", "retry_after", "expected"),
    [
        (3, 0.05, Pause(0.4, 0.8)),
        (3, 0.5, Pause(0.5, 0.8)),
        (1, 1.0, Pause(1.0, 1.25)),
        (1, 1.1, None),
    ],
)
def test_nobody_comes_back_earlier_than_the_provider_says(
    failures: int, retry_after: float, expected: Pause | None
) -> None:
    assert pause_before(POLICY, failures, retry_after) == expected
