from asyncio import CancelledError
from dataclasses import dataclass, replace

from application.inference.attempts.deployment_limits import DeploymentReservation
from application.inference.call_in_flight import CallInFlight
from application.inference.ports import Operation, ProviderStream, StreamReport
from application.inference.routing.deployments import Pulse
from domain.inference.errors import (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderFailedError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderTimedOutError,
)
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError
from domain.shared.usage import Usage

_REFUSALS = (
    ContextLengthExceededError,
    ProviderBusyError,
    ProviderCredentialsError,
    ProviderRateLimitedError,
    ProviderRejectedError,
)


def was_at_it(error: BaseException) -> bool:
    """Whether the provider had the question, and was not waited for any longer."""
    if isinstance(error, ProviderTimedOutError):
        return error.is_asked
    return isinstance(error, CancelledError)


@dataclass(slots=True)
class Trial:
    """An attempt under way; ``source`` is there as soon as a provider has accepted a stream."""

    flight: CallInFlight
    model: ServedModel
    pulse: Pulse
    began_ms: float
    reserved: DeploymentReservation | None = None
    source: ProviderStream | None = None

    @property
    def took_ms(self) -> float:
        return self.flight.elapsed_ms - self.began_ms

    def end(self, outcome: str, spent: Usage | None, *, is_cut_off: bool) -> None:
        """Put it on record. ``is_cut_off`` says that the provider was at it and had not said what
        it had used."""
        if self.reserved is not None:
            is_guess = is_cut_off and self.source is None
            self.reserved.keep(None if is_guess else spent, is_cut_off=is_cut_off)
        self.flight.note(self.model, self.began_ms, outcome, spent=spent)

    def spent(self, error: BaseException) -> Usage | None:
        """What the provider will bill, as far as anybody can tell: what it reported, or, of a
        stream that it had accepted, what was counted. Who refused what it had accepted, or said
        before its first word that it cannot, has done no work. Who was at it when nobody waited any
        more has read the prompt at least."""
        if self.source is None:
            if was_at_it(error):
                return self._asked()
            return error.spent if isinstance(error, StoaError) else None
        report = self.source.report
        self._name_request(report, error)
        usage = report.usage
        if not usage.counted:
            return usage
        if isinstance(error, _REFUSALS):
            return None
        has_said_so = isinstance(error, ProviderFailedError) and error.may_pass
        return None if has_said_so and not usage.completion_tokens else usage

    def _asked(self) -> Usage | None:
        """What is billed for the question alone, by estimate; tokens are counted for nothing."""
        command = self.flight.command
        if command.operation is Operation.COUNT_TOKENS:
            return None
        prompt = command.estimate_for(self.model).prompt
        return replace(command.expected, prompt_tokens=prompt, counted=True)

    def _name_request(self, report: StreamReport, error: BaseException) -> None:
        self.flight.call.provider_request_id = report.provider_request_id
        if isinstance(error, StoaError):
            error.provider_request_id = error.provider_request_id or report.provider_request_id
