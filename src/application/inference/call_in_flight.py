from dataclasses import dataclass

from application.inference.call_allowances import Reservation
from application.inference.ports import (
    JSON,
    Ledger,
    ProviderAnswer,
    ProviderRequest,
    StreamReport,
    WriteAhead,
)
from application.shared.ports import Clock
from domain.inference.call import Call, CallContent, CallStatus
from domain.shared.errors import StoaError, TechnicalError
from domain.shared.usage import Usage

CANCELLED = "CANCELLED"
_READABLE = ("application/json", "text/")


@dataclass(slots=True, kw_only=True)
class CallInFlight:
    """An admitted call. Exactly one of ``succeed``, ``fail`` and ``cancel`` closes its row and
    settles what was reserved for it; they neither block nor fail, so that they are safe while a
    task is being cancelled."""

    call: Call
    request: ProviderRequest
    write_ahead: WriteAhead
    ledger: Ledger
    clock: Clock
    started: float
    capture: bool
    reserved: tuple[Reservation, ...] = ()

    def first_byte(self) -> None:
        self.call.ttft_ms = self._elapsed_ms()

    def succeed(self, report: ProviderAnswer | StreamReport, response: bytes) -> None:
        self._settle(CallStatus.SUCCEEDED, report, response=response)

    def fail(
        self,
        error: BaseException,
        report: ProviderAnswer | StreamReport | None = None,
        response: bytes = b"",
    ) -> None:
        """Close the row of a call that ended in an error; the provider's own refusal of a request
        counts as a failure too, since it did reach the provider."""
        code = TechnicalError.code
        if isinstance(error, StoaError):
            code = error.code
            self.call.provider_request_id = error.provider_request_id
        self._settle(CallStatus.FAILED, report, error_code=code, response=response)

    def cancel(
        self, report: ProviderAnswer | StreamReport | None = None, response: bytes = b""
    ) -> None:
        """Close the row of a call whose client went away, or that a shutdown cut off."""
        self._settle(CallStatus.CANCELLED, report, error_code=CANCELLED, response=response)

    def _settle(
        self,
        status: CallStatus,
        report: ProviderAnswer | StreamReport | None,
        *,
        response: bytes,
        error_code: str | None = None,
    ) -> None:
        usage: Usage | None = None
        if report is not None:
            usage = report.usage
            self.call.finish_reason = report.finish_reason
            self.call.provider_request_id = report.provider_request_id
        if self.capture:
            self.call.content = CallContent(
                request=_text(self.request.body, self.request.content_type),
                response=_text(response, JSON if report is None else report.content_type),
            )
        self.call.settle(
            status,
            at=self.clock.now(),
            latency_ms=self._elapsed_ms(),
            usage=usage,
            error_code=error_code,
        )
        for reservation in self.reserved:
            reservation.settle(self.call)
        self.ledger.settle(self.call)

    def _elapsed_ms(self) -> float:
        return (self.clock.monotonic() - self.started) * 1000


def _text(body: bytes, content_type: str) -> str:
    """What is sound, an image or an upload is not kept."""
    if content_type.startswith(_READABLE):
        return body.decode(errors="replace")
    return ""
