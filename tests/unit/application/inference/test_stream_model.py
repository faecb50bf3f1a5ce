from decimal import Decimal

import pytest

from domain.inference.call import CallStatus
from domain.inference.errors import (
    LedgerUnavailableError,
    ProviderBusyError,
    ProviderFailedError,
)
from domain.shared.usage import Usage
from tests.fakes.gate import Gate, held_at
from tests.fakes.providers import DONE, USAGE
from tests.unit.application.inference.scene import Scene, drained

ONE, TWO = b"data: 1\n\n", b"data: 2\n\n"


async def test_relays_every_block_in_order(scene: Scene) -> None:
    stream = await scene.streamed(ONE, TWO, DONE)

    blocks = await drained(stream)

    assert blocks == [ONE, TWO, DONE]


async def test_a_whole_stream_settles_with_what_the_provider_reported(scene: Scene) -> None:
    stream = await scene.streamed(ONE, DONE)
    await drained(stream)
    await stream.aclose()

    assert scene.row.status is CallStatus.SUCCEEDED
    assert (scene.row.stream, scene.row.error_code) == (True, None)
    assert (scene.row.usage, scene.row.cost) == (USAGE, Decimal("0.00007"))
    assert (scene.row.finish_reason, scene.row.provider_request_id) == ("stop", "req-1")
    assert scene.provider.stream.closes == 1


async def test_the_row_stays_open_until_the_last_byte(scene: Scene) -> None:
    blocks = aiter(await scene.streamed(ONE, DONE))

    await anext(blocks)
    await anext(blocks)
    before = scene.row.status
    with pytest.raises(StopAsyncIteration):
        await anext(blocks)

    assert (before, scene.row.status) == (CallStatus.OPEN, CallStatus.SUCCEEDED)


async def test_the_first_block_stops_one_clock_and_the_last_the_other(scene: Scene) -> None:
    first, second = Gate(), Gate()

    task = await held_at(first, scene.relayed(first, ONE, second, DONE))
    second.shut()
    scene.clock.advance(0.5)
    first.open()
    await second.reached.wait()
    scene.clock.advance(2)
    second.open()
    await task

    assert (scene.row.ttft_ms, scene.row.latency_ms) == (500.0, 2500.0)


async def test_the_first_block_waits_until_the_row_is_durable(scene: Scene) -> None:
    stream = await scene.streamed(ONE, DONE)

    task = await held_at(scene.ledger.committed, drained(stream))

    assert not task.done()
    assert scene.row.status is CallStatus.OPEN

    scene.ledger.committed.open()

    assert await task == [ONE, DONE]


async def test_the_provider_is_asked_before_the_row_is_durable(scene: Scene) -> None:
    scene.ledger.committed.shut()

    stream = await scene.stream()

    assert len(scene.provider.requests) == 1
    assert scene.provider.requests[0].stream

    await stream.aclose()


async def test_no_block_leaves_when_the_row_does_not_become_durable(scene: Scene) -> None:
    scene.ledger.committed.fail(LedgerUnavailableError("The ledger is away."))
    stream = await scene.streamed(ONE, DONE)

    with pytest.raises(LedgerUnavailableError):
        await drained(stream)
    await stream.aclose()

    assert scene.row.status is CallStatus.FAILED
    assert scene.row.error_code == "LEDGER_UNAVAILABLE"
    assert scene.row.ttft_ms is None
    assert scene.provider.stream.closes == 1


async def test_a_provider_that_refuses_to_stream_fails_the_call(scene: Scene) -> None:
    scene.provider.working.fail(ProviderBusyError("Full."))

    with pytest.raises(ProviderBusyError):
        await scene.stream()

    assert scene.row.status is CallStatus.FAILED
    assert scene.row.error_code == "PROVIDER_OVERLOADED"
    assert scene.row.usage is None


async def test_a_provider_that_refuses_within_its_stream_is_not_paid_an_estimate(
    scene: Scene,
) -> None:
    with pytest.raises(ProviderBusyError):
        await scene.streamed(ProviderBusyError("Full."))

    assert (scene.row.usage, scene.row.cost) == (None, None)
    assert scene.row.provider_request_id == "req-1"


async def test_a_stream_that_breaks_before_its_first_block_has_cost_what_was_counted(
    scene: Scene,
) -> None:
    with pytest.raises(ProviderFailedError):
        await scene.streamed(ProviderFailedError("It broke."))

    assert scene.row.usage == Usage(counted=True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProviderFailedError("It broke."), "PROVIDER_ERROR"),
        (ValueError("a bug"), "INTERNAL_ERROR"),
    ],
)
async def test_a_stream_that_breaks_midway_fails_with_what_was_counted(
    scene: Scene, error: Exception, code: str
) -> None:
    blocks = aiter(await scene.streamed(ONE, TWO, error))

    assert [await anext(blocks), await anext(blocks)] == [ONE, TWO]
    with pytest.raises(type(error)):
        await anext(blocks)

    assert scene.row.status is CallStatus.FAILED
    assert scene.row.error_code == code
    assert scene.row.usage == Usage(completion_tokens=2, counted=True)
    assert scene.row.cost == Decimal("0.00002")
    assert scene.row.finish_reason is None


async def test_a_broken_stream_is_not_settled_again_when_it_is_closed(scene: Scene) -> None:
    stream = await scene.streamed(ONE, ProviderFailedError("It broke."))
    with pytest.raises(ProviderFailedError):
        await drained(stream)

    await stream.aclose()

    assert scene.row.status is CallStatus.FAILED
    assert scene.provider.stream.closes == 1


async def test_a_stream_without_a_block_has_no_first_byte(scene: Scene) -> None:
    stream = await scene.streamed()

    assert await drained(stream) == []
    assert scene.row.status is CallStatus.SUCCEEDED
    assert scene.row.ttft_ms is None
