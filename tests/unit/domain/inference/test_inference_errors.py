from domain.inference.errors import (
    CallNotFoundError,
    ProviderRateLimitedError,
    ProviderRejectedError,
)


def test_a_providers_refusal_keeps_its_own_words() -> None:
    error = ProviderRejectedError(
        "No such tool.",
        param="tools",
        provider_type="invalid_request_error",
        provider_code="tool_not_found",
    )

    assert error.message == "No such tool."
    assert error.param == "tools"
    assert (error.provider_type, error.provider_code) == (
        "invalid_request_error",
        "tool_not_found",
    )


def test_a_providers_limit_keeps_the_time_to_wait() -> None:
    assert ProviderRateLimitedError("Slow down.", retry_after=20.0).retry_after == 20.0


def test_a_missing_call_is_told() -> None:
    assert CallNotFoundError().message == "There is no call with this id."
