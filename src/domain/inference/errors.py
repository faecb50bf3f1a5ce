from collections.abc import Mapping

from domain.inference.rate import Limited, Measure, Shortage, Standings, duration
from domain.shared.errors import (
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    UnavailableError,
    UpstreamError,
    UpstreamTimeoutError,
)

_PER_MINUTE = {
    Measure.REQUESTS: "requests per min (RPM)",
    Measure.TOKENS: "tokens per min (TPM)",
}


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


class ToolsDisabledError(ForbiddenError):
    """The call offers tools to the model, and the team's setting `enable_tools` is off."""

    code = "TOOLS_DISABLED"

    def __init__(self) -> None:
        super().__init__("Tools are switched off for this team (the setting 'enable_tools').")


class RetrievalDisabledError(ForbiddenError):
    """The call asks for a search of files or the web, and the team's setting `enable_retrieval` is
    off."""

    code = "RETRIEVAL_DISABLED"

    def __init__(self) -> None:
        super().__init__(
            "Retrieval is switched off for this team (the setting 'enable_retrieval')."
        )


class NoModelFitsError(InvalidError):
    """None of the models behind a name can answer the call; the message says why of each."""

    code = "NO_MODEL_FITS"

    def __init__(self, name: str, objections: Mapping[str, str]) -> None:
        why = "; ".join(f"'{model}' {reason}" for model, reason in objections.items())
        super().__init__(
            f"No model behind '{name}' can answer this call: {why or 'there is none'}.",
            param="model",
        )


class LocalOnlyError(ForbiddenError):
    """The call must not leave the machine, and the model runs elsewhere."""

    code = "LOCAL_ONLY"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The call is marked local_only, and the model '{name}' does not run on this machine."
        )


class NoHealthyDeploymentError(UnavailableError):
    """All deployments that could answer failed so often that none is asked for a moment."""

    code = "NO_HEALTHY_DEPLOYMENT"


class ProviderRateLimitedError(LimitExceededError):
    """The provider's own rate limit; ``retry_after`` is the provider's."""

    code = "PROVIDER_RATE_LIMITED"


class RateLimitedError(LimitExceededError):
    """One of the caller's own limits is reached; ``standings`` is what remains of all of them, as
    far as that is known."""

    def __init__(
        self,
        message: str,
        *,
        measure: Measure,
        retry_after: float | None,
        standings: Standings | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.measure = measure
        self.standings = standings

    @classmethod
    def short_of(cls, shortage: Shortage, standings: Standings) -> "RateLimitedError":
        """In the words of OpenAI, which clients look for."""
        subject = f"this {shortage.limited.subject.kind}"
        if shortage.measure is Measure.CONCURRENCY:
            message = (
                f"Limit of calls at the same time reached for {subject}: Limit {shortage.limit},"
                f" Running {shortage.used:.0f}. Please try again when one has ended."
            )
        else:
            what = _PER_MINUTE[shortage.measure]
            message = (
                f"Rate limit reached for {subject} on {what}: Limit {shortage.limit}, Used"
                f" {shortage.used:.0f}, Requested {shortage.wanted}. Please try again in"
                f" {duration(shortage.retry_s)}."
            )
        return cls(
            message, measure=shortage.measure, retry_after=shortage.retry_s, standings=standings
        )

    @classmethod
    def too_large(cls, limited: Limited, tokens: int) -> "RateLimitedError":
        """For a call that may use more than a minute's worth: waiting does not help."""
        return cls(
            f"Request too large for this {limited.subject.kind} on {_PER_MINUTE[Measure.TOKENS]}:"
            f" Limit {limited.limits.tpm}, Requested {tokens}. The output tokens must be reduced in"
            " order to run successfully.",
            measure=Measure.TOKENS,
            retry_after=None,
        )


class ContentRefusedError(InvalidError):
    """A guardrail does not let the content through; what was found is not repeated."""

    code = "CONTENT_REFUSED"

    def __init__(self, *, stage: str, rule: str) -> None:
        what = "request" if stage == "input" else "answer"
        super().__init__(f"The content of the {what} was refused by a guardrail: '{rule}'.")
        self.stage = stage
        self.rule = rule


class OutputSchemaError(UpstreamError):
    """The model's answer is not what the JSON schema of the route demands."""

    code = "OUTPUT_NOT_VALID"


class ProviderUnreachableError(UpstreamError):
    """The connection could not be made or broke."""

    code = "PROVIDER_UNREACHABLE"


class ProviderFailedError(UpstreamError):
    """The provider answered with a failure of its own, or with something that is no answer.

    ``may_pass`` says that it made no answer and may make one the next time. What it made and what
    could not be read is billed, and would be billed again.
    """

    code = "PROVIDER_ERROR"

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class ProviderCredentialsError(UpstreamError):
    """The provider refused the credentials that the gateway holds for it."""

    code = "PROVIDER_CREDENTIALS"


class ProviderTimedOutError(UpstreamTimeoutError):
    """The provider did not answer in time. ``is_asked`` says that it had the whole question."""

    code = "PROVIDER_TIMEOUT"

    def __init__(self, message: str, *, is_asked: bool = False) -> None:
        super().__init__(message)
        self.is_asked = is_asked


class ProviderBusyError(UnavailableError):
    """The provider is overloaded, or the queue of a local model is full."""

    code = "PROVIDER_OVERLOADED"


class ModelLoadingError(UnavailableError):
    """The model is known but not in memory yet."""

    code = "MODEL_LOADING"


class LedgerUnavailableError(UnavailableError):
    """The call could not be written ahead, so it was not made."""

    code = "LEDGER_UNAVAILABLE"


class BudgetNotFoundError(NotFoundError):
    """Nothing of that id has a budget, or the team has nothing of that id."""

    code = "BUDGET_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no budget here.")


class CallNotFoundError(NotFoundError):
    """The team's ledger has no call of that id."""

    code = "CALL_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no call with this id.")
