from decimal import Decimal

from domain.inference.call import CallStatus
from domain.shared.usage import Usage
from tests.fakes.gate import Gate, held_at
from tests.fakes.providers import DONE
from tests.unit.application.inference.scene import Scene, cancelled, drained, relayed

ONE, TWO = b"data: 1\n\n", b"data: 2\n\n"


async def test_cancelled_before_its_row_has_left(scene: Scene) -> None:
    task = await held_at(scene.ledger.sent, scene.stream())

    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.provider.requests == []


async def test_cancelled_while_the_provider_makes_up_its_mind(scene: Scene) -> None:
    task = await held_at(scene.provider.working, scene.stream(body=b"4444" * 10))

    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.row.error_code == "CANCELLED"
    assert scene.row.usage == Usage(prompt_tokens=10, counted=True)


async def test_cancelled_while_it_waits_for_the_first_block(scene: Scene) -> None:
    thinking = Gate()
    task = await held_at(thinking, scene.relayed(thinking, ONE, DONE))

    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.row.ttft_ms is None
    assert scene.provider.stream.closes == 1


async def test_cancelled_with_the_first_block_in_hand(scene: Scene) -> None:
    stream = await scene.streamed(ONE, DONE)
    task = await held_at(scene.ledger.committed, relayed(stream))

    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.row.usage == Usage(completion_tokens=1, counted=True)
    assert scene.row.ttft_ms is None
    assert scene.provider.stream.closes == 1


async def test_cancelled_between_blocks_costs_what_was_counted(scene: Scene) -> None:
    thinking = Gate()
    stream = await scene.streamed(ONE, TWO, thinking, DONE)
    task = await held_at(thinking, relayed(stream))

    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.row.error_code == "CANCELLED"
    assert scene.row.usage == Usage(completion_tokens=2, counted=True)
    assert scene.row.cost == Decimal("0.00002")
    assert scene.row.ttft_ms == 0.0
    assert scene.provider.stream.closes == 1


async def test_left_while_the_client_is_slow_to_take_a_block(scene: Scene) -> None:
    taking = Gate()
    stream = await scene.streamed(ONE, TWO, DONE)

    async def relay_slowly() -> None:
        try:
            async for _ in stream:
                await taking.passed()
        finally:
            await stream.aclose()

    task = await held_at(taking, relay_slowly())

    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.row.usage == Usage(completion_tokens=1, counted=True)
    assert scene.provider.stream.closes == 1


async def test_closed_before_anybody_iterated(scene: Scene) -> None:
    stream = await scene.streamed(ONE, DONE)

    await stream.aclose()

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.provider.stream.closes == 1


async def test_closed_with_an_iterator_that_never_began(scene: Scene) -> None:
    stream = await scene.streamed(ONE, DONE)
    aiter(stream)

    await stream.aclose()

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.provider.stream.closes == 1


async def test_closed_twice_is_cancelled_once(scene: Scene) -> None:
    stream = await scene.streamed(ONE, TWO, DONE)
    await anext(aiter(stream))

    await stream.aclose()
    await stream.aclose()

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.provider.stream.closes == 2


async def test_a_whole_stream_is_no_cancelled_one_after_it_is_closed(scene: Scene) -> None:
    stream = await scene.streamed(ONE, DONE)
    await drained(stream)

    await stream.aclose()
    await stream.aclose()

    assert scene.row.status is CallStatus.SUCCEEDED
