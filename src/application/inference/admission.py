"""The door of the data plane: what a call must pass before it reaches a provider, and the hand
that closes its ledger row whatever happens to it afterwards."""

from asyncio import CancelledError
from dataclasses import dataclass

from application.inference.ports import (
    Ledger,
    Operation,
    ProviderAnswer,
    ProviderRequest,
    StreamReport,
    WriteAhead,
)
from application.models.ports import ModelCatalog
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.identity.permissions import Permission
from domain.inference.call import Call, CallContent, CallStatus
from domain.inference.errors import ContextLengthExceededError
from domain.models.errors import ModelNotAllowedError, ModelNotFoundError, WrongModelKindError
from domain.models.served_model import ModelKind, ServedModel
from domain.shared.errors import FunctionalError, StoaError, TechnicalError
from domain.shared.ids import CallId
from domain.shared.usage import Usage

KIND_OF_OPERATION = {
    Operation.CHAT: ModelKind.CHAT,
    Operation.COMPLETION: ModelKind.CHAT,
    Operation.EMBEDDING: ModelKind.EMBEDDING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeModelCommand:
    """One model call.

    ``call_id`` comes from the door, which shows it as the request's id. ``body`` is the request in
    OpenAI's format; the other members repeat what the core must know of it: ``max_output_tokens``
    is the answer's limit, where the client set one.
    """

    actor: Actor
    call_id: CallId
    correlation_id: str
    operation: Operation
    model: str
    body: bytes
    stream: bool = False
    include_usage: bool = False
    max_output_tokens: int | None = None


@dataclass(slots=True, kw_only=True)
class CallInFlight:
    """An admitted call. Exactly one of ``succeed``, ``fail`` and ``cancel`` closes its row; they
    neither block nor fail, so that they are safe while a task is being cancelled."""

    call: Call
    request: ProviderRequest
    write_ahead: WriteAhead
    ledger: Ledger
    clock: Clock
    started: float
    capture: bool

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
        self._settle(CallStatus.CANCELLED, report, error_code="CANCELLED", response=response)

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
                request=self.request.body.decode(errors="replace"),
                response=response.decode(errors="replace"),
            )
        self.call.settle(
            status,
            at=self.clock.now(),
            latency_ms=self._elapsed_ms(),
            usage=usage,
            error_code=error_code,
        )
        self.ledger.settle(self.call)

    def _elapsed_ms(self) -> float:
        return (self.clock.monotonic() - self.started) * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Checks a call against the caller's rights and the catalog, and writes its row ahead.

    A refusal has a row too, and is raised as the functional error that it is.
    """

    catalog: ModelCatalog
    ledger: Ledger
    clock: Clock

    async def admit(self, command: InvokeModelCommand) -> CallInFlight:
        """Returns when the row is on its way to the database; raises ``FunctionalError`` for a
        refusal and ``LedgerUnavailableError`` when the row could not leave."""
        started = self.clock.monotonic()
        call = Call(
            id=command.call_id,
            team_id=command.actor.team_id,
            key_id=command.actor.key_id,
            user_id=command.actor.user_id,
            correlation_id=command.correlation_id,
            endpoint=f"/v1/{command.operation}",
            model=command.model,
            stream=command.stream,
            created_at=self.clock.now(),
        )
        try:
            model = self._resolve(command)
        except FunctionalError as error:
            await self._refuse(call, error, started)
            raise
        flight = self._open(call, command, model, started)
        try:
            await flight.write_ahead.sent
        except CancelledError:
            flight.cancel()
            raise
        except BaseException as error:
            flight.fail(error)
            raise
        return flight

    def _open(
        self, call: Call, command: InvokeModelCommand, model: ServedModel, started: float
    ) -> CallInFlight:
        call.provider = model.provider
        call.deployment = model.deployment
        call.price = model.prices
        return CallInFlight(
            call=call,
            request=_provider_request(command, model),
            write_ahead=self.ledger.open(call),
            ledger=self.ledger,
            clock=self.clock,
            started=started,
            capture=command.actor.capture_content,
        )

    def _resolve(self, command: InvokeModelCommand) -> ServedModel:
        command.actor.require(Permission.INVOKE_MODELS)
        model = self.catalog.find(command.model)
        if model is None:
            raise ModelNotFoundError(command.model)
        if not command.actor.may_use(model):
            raise ModelNotAllowedError(command.model)
        if model.kind is not KIND_OF_OPERATION[command.operation]:
            raise WrongModelKindError(command.model, model.kind)
        wanted, limit = command.max_output_tokens, model.context_length
        if wanted is not None and limit is not None and wanted > limit:
            raise ContextLengthExceededError(
                f"This model's maximum context length is {limit} tokens. "
                f"However, you requested {wanted} tokens in the completion.",
                param="max_tokens",
            )
        return model

    async def _refuse(self, call: Call, error: FunctionalError, started: float) -> None:
        call.settle(
            CallStatus.REFUSED,
            at=self.clock.now(),
            latency_ms=(self.clock.monotonic() - started) * 1000,
            error_code=error.code,
        )
        await self.ledger.record(call)


def _provider_request(command: InvokeModelCommand, model: ServedModel) -> ProviderRequest:
    return ProviderRequest(
        operation=command.operation,
        model=model,
        body=command.body,
        correlation_id=command.correlation_id,
        stream=command.stream,
        include_usage=command.include_usage,
    )
