from structlog.testing import capture_logs

from application.inference.interrupt_orphaned_calls import InterruptOrphanedCalls
from domain.inference.call import CallStatus
from tests.builders import a_call
from tests.fakes.clock import START, FrozenClock
from tests.fakes.inference import InMemoryLedger, InMemoryOrphanedCalls, LedgerRows


async def test_closes_the_open_rows_of_dead_processes_only() -> None:
    rows = LedgerRows()
    dead, living = InMemoryLedger(rows), InMemoryLedger(rows)
    lost, done, running = a_call(), a_call(), a_call()
    for call in (lost, done):
        dead.open(call)
    living.open(running)
    done.settle(CallStatus.SUCCEEDED, at=START, latency_ms=1.0)
    dead.settle(done)
    dead.die()
    interrupt = InterruptOrphanedCalls(orphans=InMemoryOrphanedCalls(rows), clock=FrozenClock())

    with capture_logs() as logs:
        counts = [await interrupt(), await interrupt()]

    assert counts == [1, 0]
    assert rows.calls[lost.id].status is CallStatus.INTERRUPTED
    assert rows.calls[lost.id].settled_at == START
    assert rows.calls[done.id].status is CallStatus.SUCCEEDED
    assert rows.calls[running.id].status is CallStatus.OPEN
    assert logs == [{"event": "calls.interrupted", "count": 1, "log_level": "warning"}]
