from datetime import timedelta

from application.inference.ports import Operation
from application.inference.refuse_call import RefuseCall, RefuseCallCommand
from domain.inference.call import Call, CallStatus
from domain.shared.errors import TooLargeError
from tests.builders import KEY_ID, TEAM_ID, USER_ID, an_actor
from tests.fakes.clock import START, FrozenClock
from tests.fakes.gate import held_at
from tests.fakes.inference import InMemoryLedger
from tests.unit.application.inference.scene import a_command

COMMAND = RefuseCallCommand(
    actor=an_actor(),
    call_id=a_command().call_id,
    correlation_id="c-1",
    operation=Operation.CHAT,
    error=TooLargeError("Too many bytes."),
    elapsed_ms=250.0,
    tags=("night",),
)


async def test_a_call_that_the_door_refuses_has_a_row() -> None:
    ledger = InMemoryLedger()

    await RefuseCall(ledger=ledger, clock=FrozenClock())(COMMAND)

    assert ledger.the_row() == Call(
        id=COMMAND.call_id,
        team_id=TEAM_ID,
        key_id=KEY_ID,
        user_id=USER_ID,
        correlation_id="c-1",
        endpoint="/v1/chat/completions",
        model="",
        stream=False,
        created_at=START - timedelta(seconds=0.25),
        status=CallStatus.REFUSED,
        settled_at=START,
        error_code="PAYLOAD_TOO_LARGE",
        latency_ms=250.0,
        tags=("night",),
    )


async def test_returns_when_the_row_is_durable() -> None:
    ledger = InMemoryLedger()

    task = await held_at(ledger.committed, RefuseCall(ledger=ledger, clock=FrozenClock())(COMMAND))

    assert not task.done()

    ledger.committed.open()
    await task
