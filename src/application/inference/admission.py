from asyncio import CancelledError
from dataclasses import dataclass

from application.inference.call_allowances import (
    AllowanceRequest,
    CallAllowances,
    Reservation,
    TellStandings,
)
from application.inference.call_in_flight import CANCELLED, CallInFlight
from application.inference.call_policy import CallPolicy, CallWishes
from application.inference.call_trace import CallTrace
from application.inference.ports import JSON, Ledger, Operation, ProviderRequest
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.inference.budget import CallSize
from domain.inference.call import Call, CallStatus
from domain.inference.token_estimate import TokenEstimate
from domain.models.served_model import Capability, ServedModel
from domain.shared.errors import StoaError
from domain.shared.ids import CallId
from domain.shared.usage import NO_USAGE, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeModelCommand:
    """One model call.

    ``call_id`` comes from the door, which shows it as the request's id. ``body`` is the request in
    the format of the operation; the other members repeat what the core must know of it:
    ``max_output_tokens`` is the limit of each of the ``choices`` answers, where the client set one;
    ``needs`` is what the model has to be capable of; ``offers_tools`` and ``asks_retrieval`` are
    what a team may not want. ``prompt_bytes`` is the size of what becomes prompt tokens, where that
    is not the whole body; ``expected`` is what the request says will be billed beside tokens.

    The client's wishes: ``local_only`` forbids that anything leaves the machine, ``user`` and
    ``conversation`` say who stays in one arm of a split, ``tags`` are for its own accounting.
    ``tell_standings`` is called as soon as it is known what remains of the caller's limits;
    ``trace`` is kept up to date with what becomes of the call.
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
    choices: int = 1
    attachments: int = 0
    offers_tools: bool = False
    asks_retrieval: bool = False
    content_type: str = JSON
    needs: frozenset[Capability] = frozenset()
    prompt_bytes: int | None = None
    expected: Usage = NO_USAGE
    local_only: bool = False
    user: str | None = None
    conversation: str | None = None
    tags: tuple[str, ...] = ()
    tell_standings: TellStandings | None = None
    trace: CallTrace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Checks a call against the caller's rights, the team's settings and what the caller may use,
    and writes its row ahead.

    A refusal has a row too, and is raised as the functional error that it is.
    """

    policy: CallPolicy
    ledger: Ledger
    clock: Clock
    allowances: CallAllowances

    async def admit(self, command: InvokeModelCommand) -> CallInFlight:
        """Returns when the row is on its way to the database; raises ``FunctionalError`` for a
        refusal, ``UnavailableError`` when nobody could say what the caller may use, and
        ``LedgerUnavailableError`` when the row could not leave."""
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
            tags=command.tags,
        )
        if command.trace is not None:
            command.trace.call = call
        try:
            model = self.policy.model_for(_wishes(command))
            reserved = await self._reserve(command, call, model)
        except StoaError as error:
            await self._refuse(call, error, started)
            raise
        except CancelledError:
            self._abandon(call, started)
            raise
        flight = self._open(call, command, model, started, reserved)
        try:
            await flight.write_ahead.sent
        except CancelledError:
            flight.cancel()
            raise
        except BaseException as error:
            flight.fail(error)
            raise
        return flight

    async def _reserve(
        self, command: InvokeModelCommand, call: Call, model: ServedModel
    ) -> tuple[Reservation, ...]:
        if not command.actor.allowances:
            return ()
        body_bytes = len(command.body)
        estimate = TokenEstimate.of(
            body_bytes if command.prompt_bytes is None else command.prompt_bytes,
            max_output=command.max_output_tokens,
            choices=command.choices,
            context_length=model.context_length,
        )
        return await self.allowances.admit(
            AllowanceRequest(
                actor=command.actor,
                call=call,
                model=model,
                estimate=estimate,
                size=CallSize(
                    body_bytes=body_bytes,
                    prompt_bytes=command.prompt_bytes,
                    expected=command.expected,
                    attachments=command.attachments,
                    choices=command.choices,
                    max_output=command.max_output_tokens,
                ),
                tell=command.tell_standings,
            )
        )

    def _open(
        self,
        call: Call,
        command: InvokeModelCommand,
        model: ServedModel,
        started: float,
        reserved: tuple[Reservation, ...],
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
            capture=self.policy.captures(command.actor),
            reserved=reserved,
        )

    async def _refuse(self, call: Call, error: StoaError, started: float) -> None:
        self._close(call, CallStatus.REFUSED, error.code, started)
        await self.ledger.record(call)

    def _abandon(self, call: Call, started: float) -> None:
        """Leave a row of a call whose client went away before it was admitted."""
        self.ledger.open(call)
        self._close(call, CallStatus.CANCELLED, CANCELLED, started)
        self.ledger.settle(call)

    def _close(self, call: Call, status: CallStatus, code: str, started: float) -> None:
        call.settle(
            status,
            at=self.clock.now(),
            latency_ms=(self.clock.monotonic() - started) * 1000,
            error_code=code,
        )


def _wishes(command: InvokeModelCommand) -> CallWishes:
    return CallWishes(
        actor=command.actor,
        operation=command.operation,
        model=command.model,
        max_output_tokens=command.max_output_tokens,
        offers_tools=command.offers_tools,
        asks_retrieval=command.asks_retrieval,
    )


def _provider_request(command: InvokeModelCommand, model: ServedModel) -> ProviderRequest:
    return ProviderRequest(
        operation=command.operation,
        model=model,
        body=command.body,
        correlation_id=command.correlation_id,
        stream=command.stream,
        include_usage=command.include_usage,
        content_type=command.content_type,
    )
