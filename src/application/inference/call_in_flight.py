from dataclasses import dataclass, field, replace
from decimal import Decimal

from application.inference.call_allowances import Reservation
from application.inference.call_trace import CallTrace
from application.inference.interception import AnswerFilter
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import (
    JSON,
    Ledger,
    ProviderAnswer,
    ProviderRequest,
    ProviderStream,
    StreamReport,
    WriteAhead,
)
from application.inference.routing.deployments import Deployments, Pulse
from application.inference.routing.plan import Plan
from application.shared.ports import Clock
from domain.inference.call import Attempt, Call, CallContent, CallStatus
from domain.inference.token_estimate import TokenEstimate
from domain.models.served_model import ServedModel
from domain.shared.errors import StoaError, TechnicalError
from domain.shared.usage import Usage

CANCELLED = "CANCELLED"
SUCCEEDED = "succeeded"
_READABLE = ("application/json", "text/")


@dataclass(slots=True, kw_only=True, repr=False)
class CallInFlight:
    """An admitted call. Exactly one of ``succeed``, ``fail`` and ``cancel`` closes its row and
    settles what was reserved for it; they neither block nor fail, so that they are safe while a
    task is being cancelled. So do ``conclude`` and ``close``, which are the two halves of
    ``succeed``.

    ``request`` is for the first model of the ``plan`` until another one answers. ``instead`` is
    there if no provider has to be asked; ``filters`` see what comes out.
    """

    command: InvokeModelCommand
    call: Call
    plan: Plan
    request: ProviderRequest
    write_ahead: WriteAhead
    ledger: Ledger
    deployments: Deployments
    clock: Clock
    started: float
    capture: bool
    reserved: tuple[Reservation, ...] = ()
    instead: ProviderAnswer | ProviderStream | None = None
    filters: tuple[AnswerFilter, ...] = ()
    attempts: list[Attempt] = field(default_factory=list)
    pulse: Pulse | None = None
    # The attempt that the row is about, the last one that reached a provider, and its model.
    own: Attempt | None = None
    asked: ServedModel | None = None

    @property
    def elapsed_ms(self) -> float:
        """Since the admission began."""
        return (self.clock.monotonic() - self.started) * 1000

    @property
    def trace(self) -> CallTrace | None:
        return self.command.trace

    @property
    def is_plain(self) -> bool:
        """Whether the row itself says all there is to say of the only attempt."""
        return self.plan.reason is None and not self.attempts

    def estimate_for(self, model: ServedModel) -> TokenEstimate:
        return self.command.estimate_for(model)

    def affords(self, model: ServedModel) -> bool:
        """Whether what was set aside is enough to ask that model after all that was in vain."""
        spent = sum((one.cost for one in self.attempts if one.cost), Decimal(0))
        return not spent or all(one.covers(model, spent) for one in self.reserved)

    def request_for(self, model: ServedModel) -> ProviderRequest:
        request = self.request
        return request if model is request.model else replace(request, model=model)

    def note(
        self,
        model: ServedModel,
        began_ms: float,
        outcome: str,
        *,
        spent: Usage | None = None,
        is_asked: bool = True,
    ) -> None:
        """Put an attempt that has ended on record. ``spent`` is what its provider bills all the
        same; ``is_asked`` says that it did reach one."""
        attempt = Attempt(
            model=model.name,
            deployment=model.deployment,
            began_ms=began_ms,
            took_ms=self.elapsed_ms - began_ms,
            outcome=outcome,
            usage=spent,
            cost=None if spent is None or model.prices is None else model.prices.bill(spent),
        )
        self.attempts.append(attempt)
        if is_asked:
            self.own, self.asked = attempt, model
            self.call.use(model.owner)

    def answered_by(
        self, pulse: Pulse, model: ServedModel, began_ms: float, reserved: Reservation | None
    ) -> None:
        """The deployment has begun to answer: the call is charged at its price."""
        self.pulse = pulse
        if reserved is not None:
            self.reserved = (*self.reserved, reserved)
        if self.is_plain:
            return
        self.note(model, began_ms, SUCCEEDED)
        self._be_at(model)

    def first_byte(self) -> None:
        self.call.ttft_ms = self.elapsed_ms

    def succeed(self, report: ProviderAnswer | StreamReport, response: bytes) -> None:
        self.conclude(report, response)
        self.close()

    def conclude(self, report: ProviderAnswer | StreamReport, response: bytes) -> None:
        """The call has succeeded, and what it cost stands; nobody has been told yet."""
        self._conclude(CallStatus.SUCCEEDED, report, response=response)

    def close(self) -> None:
        """Tell everybody who has to know what has become of the call."""
        call = self.call
        for reservation in self.reserved:
            reservation.settle(call)
        self.ledger.settle(call)

    def fail(
        self,
        error: BaseException,
        report: ProviderAnswer | StreamReport | None = None,
        response: bytes = b"",
    ) -> None:
        """Close the row of a call that ended in an error; the provider's own refusal of a request
        counts as a failure too, since it did reach the provider."""
        code, spent = TechnicalError.code, None
        if isinstance(error, StoaError):
            code, spent = error.code, error.spent
            if error.provider_request_id is not None:
                self.call.provider_request_id = error.provider_request_id
        if self.pulse is not None:
            self.deployments.failed(self.pulse, error)
        self._conclude(CallStatus.FAILED, report, error_code=code, response=response, spent=spent)
        self.close()

    def cancel(
        self, report: ProviderAnswer | StreamReport | None = None, response: bytes = b""
    ) -> None:
        """Close the row of a call whose client went away, or that a shutdown cut off."""
        self._conclude(CallStatus.CANCELLED, report, error_code=CANCELLED, response=response)
        self.close()

    def _be_at(self, model: ServedModel) -> None:
        call = self.call
        call.provider, call.deployment, call.price = model.provider, model.deployment, model.prices
        call.routed_to, call.reason = model.name, self._reason(model)
        self.request = self.request_for(model)

    def _reason(self, model: ServedModel) -> str | None:
        plan = self.plan
        before = [one for one in self.attempts if one is not self.own]
        is_first = plan.reason is not None and model is plan.first
        if not before or (is_first and all(one.deployment != model.deployment for one in before)):
            return plan.reason
        failure = before[-1].outcome
        if failure == CANCELLED.lower():
            return "hedge"
        chosen = "auto: " if plan.route is None and plan.reason is not None else ""
        kind = "fallback" if model in plan.fallbacks else "retry"
        return f"{chosen}{kind} after {failure}"

    def _conclude(
        self,
        status: CallStatus,
        report: ProviderAnswer | StreamReport | None,
        *,
        response: bytes,
        error_code: str | None = None,
        spent: Usage | None = None,
    ) -> None:
        usage, call = spent, self.call
        if self.pulse is None and self.own is not None and self.asked is not None:
            # Nobody answers; the row is about whom was asked last.
            usage = self.own.usage
            if self.plan.reason is not None or self.asked is not self.plan.first:
                self._be_at(self.asked)
        if report is not None:
            usage = report.usage
            call.finish_reason = report.finish_reason
            call.provider_request_id = report.provider_request_id
        if self.capture:
            call.content = CallContent(
                request=_text(self.request.body, self.request.content_type),
                response=_text(response, JSON if report is None else report.content_type),
            )
        if self.pulse is not None:
            self.deployments.end(self.pulse)
        call.settle(
            status,
            at=self.clock.now(),
            latency_ms=self.elapsed_ms,
            usage=usage,
            error_code=error_code,
            beside=self._cost_in_vain() if self.attempts else None,
        )
        if len(self.attempts) > 1 or (self.attempts and self.plan.reason is not None):
            self._put_attempts_on_record(error_code)

    def _cost_in_vain(self) -> Decimal | None:
        """What attempts cost that did not answer the call; ``None`` if that is nothing."""
        costs = [one.cost for one in self.attempts if one is not self.own and one.cost]
        return sum(costs, Decimal(0)) if costs else None

    def _put_attempts_on_record(self, error_code: str | None) -> None:
        call, own = self.call, self.own
        if own is not None and self.pulse is not None:
            outcome = own.outcome
            if error_code is not None:
                # It had begun to answer, and did not come to an end.
                outcome = CANCELLED.lower() if error_code == CANCELLED else error_code
            ended = replace(own, outcome=outcome, usage=call.usage, cost=_cost(call))
            self.attempts = [ended if one is own else one for one in self.attempts]
        call.attempts = tuple(sorted(self.attempts, key=lambda one: one.began_ms))


def _cost(call: Call) -> Decimal | None:
    """That of the answer alone."""
    if call.usage is None or call.price is None:
        return None
    return call.price.bill(call.usage)


def _text(body: bytes, content_type: str) -> str:
    """What is sound, an image or an upload is not kept."""
    return body.decode(errors="replace") if content_type.startswith(_READABLE) else ""
