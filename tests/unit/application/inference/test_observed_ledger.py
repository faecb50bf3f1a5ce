import pytest

from application.inference.observed_ledger import ObservedLedger
from domain.inference.call import Call, CallStatus
from domain.inference.errors import LedgerUnavailableError
from tests.builders import a_call
from tests.fakes.clock import START
from tests.fakes.inference import InMemoryLedger
from tests.fakes.operations import RecordingCallObserver


def settled(call: Call, status: CallStatus = CallStatus.SUCCEEDED) -> Call:
    call.settle(status, at=START, latency_ms=1.0)
    return call


async def test_an_open_call_is_not_observed() -> None:
    inner, observer = InMemoryLedger(), RecordingCallObserver()

    write_ahead = ObservedLedger(inner, (observer,)).open(a_call())
    await write_ahead.sent
    await write_ahead.committed

    assert inner.the_row().status is CallStatus.OPEN
    assert observer.calls == []


async def test_a_settled_call_is_observed_and_stored() -> None:
    inner, observer = InMemoryLedger(), RecordingCallObserver()
    ledger, call = ObservedLedger(inner, (observer,)), a_call()
    ledger.open(call)

    ledger.settle(settled(call))

    assert observer.calls == [call]
    assert inner.the_row() == call


async def test_a_refused_call_is_observed_and_stored() -> None:
    inner, observer = InMemoryLedger(), RecordingCallObserver()
    call = settled(a_call(), CallStatus.REFUSED)

    await ObservedLedger(inner, (observer,)).record(call)

    assert observer.calls == [call]
    assert inner.the_row() == call


async def test_an_outcome_is_observed_even_when_it_cannot_be_stored() -> None:
    inner, observer = InMemoryLedger(), RecordingCallObserver()
    inner.committed.fail(LedgerUnavailableError("The ledger is away."))

    with pytest.raises(LedgerUnavailableError):
        await ObservedLedger(inner, (observer,)).record(settled(a_call(), CallStatus.REFUSED))

    assert len(observer.calls) == 1


async def test_flushing_tells_what_is_left() -> None:
    inner = InMemoryLedger()
    inner.undurable = 3

    left = await ObservedLedger(inner, (RecordingCallObserver(),)).flush(1.0)

    assert left == 3
