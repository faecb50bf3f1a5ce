from dataclasses import dataclass
from datetime import timedelta

from application.inference.ports import Ledger, Operation
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.inference.call import Call, CallStatus
from domain.shared.errors import StoaError
from domain.shared.ids import CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseCallCommand:
    """``model`` is what the client asked for, as far as the request could be read; ``elapsed_ms``
    is how long the door has been at it."""

    actor: Actor
    call_id: CallId
    correlation_id: str
    operation: Operation
    error: StoaError
    elapsed_ms: float
    model: str = ""
    stream: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseCall:
    """Records a call that the door itself had to refuse: unreadable, too large, wrong."""

    ledger: Ledger
    clock: Clock

    async def __call__(self, command: RefuseCallCommand) -> None:
        now = self.clock.now()
        call = Call(
            id=command.call_id,
            team_id=command.actor.team_id,
            key_id=command.actor.key_id,
            user_id=command.actor.user_id,
            correlation_id=command.correlation_id,
            endpoint=f"/v1/{command.operation}",
            model=command.model,
            stream=command.stream,
            created_at=now - timedelta(milliseconds=command.elapsed_ms),
            tags=command.tags,
        )
        call.settle(
            CallStatus.REFUSED,
            at=now,
            latency_ms=command.elapsed_ms,
            error_code=command.error.code,
        )
        await self.ledger.record(call)
