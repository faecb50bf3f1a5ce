from asyncio import CancelledError
from dataclasses import dataclass, replace

from application.inference.call_allowances import AllowanceRequest, CallAllowances, Reservation
from application.inference.call_in_flight import CANCELLED, CallInFlight
from application.inference.call_policy import CallPolicy, CallWishes
from application.inference.interception import Interception, Passage
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import Ledger, ProviderRequest
from application.inference.routing.deployments import Deployments
from application.inference.routing.plan import Plan
from application.inference.routing.planner import Planner
from application.shared.ports import Clock
from domain.inference.budget import CallSize
from domain.inference.call import Call, CallStatus
from domain.shared.errors import StoaError


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Checks a call against the caller's rights, the team's settings and what the caller may use,
    plans its way, and writes its row ahead.

    A refusal has a row too, and is raised as the functional error that it is. What was set aside
    is enough for the dearest model that may answer.
    """

    policy: CallPolicy
    planner: Planner
    deployments: Deployments
    interception: Interception
    ledger: Ledger
    clock: Clock
    allowances: CallAllowances

    async def admit(self, command: InvokeModelCommand) -> CallInFlight:
        """Returns when the row is on its way to the database; raises ``FunctionalError`` for a
        refusal, ``UnavailableError`` when nobody could say what the caller may use or no deployment
        is fit to be asked, and ``LedgerUnavailableError`` when the row could not leave."""
        started = self.clock.monotonic()
        call = self._new(command)
        passage: Passage | None = None
        reserved: tuple[Reservation, ...] = ()
        try:
            plan = self.planner.plan(self._wishes(command))
            concerned = self.interception.concerned(command, plan)
            if concerned:
                passage = Passage(command=command, plan=plan, call=call, body=command.body)
                await self.interception.intercept(passage, concerned)
                command = _as_it_goes_on(command, passage)
            is_answered = passage is not None and passage.instead is not None
            reserved = await self._reserve(command, call, plan, is_answered=is_answered)
        except StoaError as error:
            await self._refuse(call, error, started)
            raise
        except CancelledError:
            self._abandon(call, started)
            raise
        flight = self._open(call, command, plan, passage, started=started, reserved=reserved)
        try:
            await flight.write_ahead.sent
        except CancelledError:
            flight.cancel()
            raise
        except BaseException as error:
            flight.fail(error)
            raise
        return flight

    def _new(self, command: InvokeModelCommand) -> Call:
        actor = command.actor
        call = Call(
            id=command.call_id,
            team_id=actor.team_id,
            key_id=actor.key_id,
            user_id=actor.user_id,
            correlation_id=command.correlation_id,
            endpoint=command.endpoint or f"/v1/{command.operation}",
            model=command.model,
            stream=command.stream,
            created_at=self.clock.now(),
            tags=command.tags,
        )
        if command.trace is not None:
            command.trace.call = call
        return call

    def _wishes(self, command: InvokeModelCommand) -> CallWishes:
        prompt_bytes = command.prompt_bytes
        return CallWishes(
            actor=command.actor,
            operation=command.operation,
            model=command.model,
            max_output_tokens=command.max_output_tokens,
            offers_tools=command.offers_tools,
            asks_retrieval=command.asks_retrieval,
            needs=command.needs,
            local_only=command.local_only or self.policy.keeps_local(command.actor),
            prompt_bytes=len(command.body) if prompt_bytes is None else prompt_bytes,
            attachments=command.attachments,
            choices=command.choices,
            stream=command.stream,
            user=command.user,
            conversation=command.conversation,
        )

    async def _reserve(
        self, command: InvokeModelCommand, call: Call, plan: Plan, *, is_answered: bool
    ) -> tuple[Reservation, ...]:
        if not command.actor.allowances:
            return ()
        return await self.allowances.admit(
            AllowanceRequest(
                actor=command.actor,
                call=call,
                model=plan.first,
                others=(*plan.others, *plan.fallbacks),
                estimate=command.estimate_for(plan.first),
                size=CallSize(
                    body_bytes=len(command.body),
                    prompt_bytes=command.prompt_bytes,
                    expected=command.expected,
                    attachments=command.attachments,
                    choices=command.choices,
                    max_output=command.max_output_tokens,
                ),
                tell=command.tell_standings,
                is_answered=is_answered,
                is_hedged=plan.hedge_after_s is not None,
                most_in_vain=plan.most_in_vain,
            )
        )

    def _open(
        self,
        call: Call,
        command: InvokeModelCommand,
        plan: Plan,
        passage: Passage | None,
        *,
        started: float,
        reserved: tuple[Reservation, ...],
    ) -> CallInFlight:
        model = plan.first
        call.arm = plan.arm
        if passage is None or passage.instead is None:
            call.provider = model.provider
            call.deployment = model.deployment
            call.price = model.prices
            call.use(model.owner)
            if plan.reason is not None or call.model != model.name:
                call.routed_to, call.reason = model.name, plan.reason
        return CallInFlight(
            command=command,
            call=call,
            plan=plan,
            request=_provider_request(command, plan),
            write_ahead=self.ledger.open(call),
            ledger=self.ledger,
            deployments=self.deployments,
            clock=self.clock,
            started=started,
            capture=self.policy.captures(command.actor),
            reserved=reserved,
            instead=None if passage is None else passage.instead,
            filters=() if passage is None else tuple(passage.filters),
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


def _as_it_goes_on(command: InvokeModelCommand, passage: Passage) -> InvokeModelCommand:
    if passage.body is command.body:
        return command
    if command.trace is not None:
        command.trace.body = passage.body
    return replace(command, body=passage.body)


def _provider_request(command: InvokeModelCommand, plan: Plan) -> ProviderRequest:
    return ProviderRequest(
        operation=command.operation,
        model=plan.first,
        body=command.body,
        correlation_id=command.correlation_id,
        stream=command.stream,
        include_usage=command.include_usage,
        content_type=command.content_type,
        features=command.features,
    )
