from decimal import Decimal

from application.inference.ports import Operation
from domain.inference.call import CallStatus
from domain.operations.runtime_settings import CONTENT_CAPTURE
from domain.shared.usage import Usage
from tests.builders import TEAM_ID
from tests.fakes.gate import held_at
from tests.fakes.providers import USAGE
from tests.unit.application.inference.scene import Scene, cancelled


async def test_cancelled_before_its_row_has_left(scene: Scene) -> None:
    task = await held_at(scene.ledger.sent, scene.invoke())

    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.row.error_code == "CANCELLED"
    assert scene.provider.requests == []


async def test_cancelled_while_the_provider_works_costs_the_question(scene: Scene) -> None:
    task = await held_at(scene.provider.working, scene.invoke(body=b"4444" * 10))
    scene.clock.advance(1.5)

    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert scene.row.error_code == "CANCELLED"
    assert scene.row.latency_ms == 1500.0
    assert scene.row.usage == Usage(prompt_tokens=10, counted=True)
    assert (scene.row.cost, scene.row.ttft_ms) == (Decimal("0.000025"), None)


async def test_what_the_question_says_will_be_made_is_part_of_it(scene: Scene) -> None:
    task = await held_at(
        scene.provider.working, scene.invoke(prompt_bytes=0, expected=Usage(images=2))
    )

    await cancelled(task)

    assert scene.row.usage == Usage(images=2, counted=True)


async def test_counting_tokens_costs_nothing_whoever_waits(scene: Scene) -> None:
    counting = scene.invoke(operation=Operation.COUNT_TOKENS)
    task = await held_at(scene.provider.working, counting)

    await cancelled(task)

    assert (scene.row.usage, scene.row.cost) == (None, None)


async def test_cancelled_with_the_answer_in_hand_still_costs_what_it_used(scene: Scene) -> None:
    task = await held_at(scene.ledger.committed, scene.invoke())

    await cancelled(task)

    assert scene.row.status is CallStatus.CANCELLED
    assert (scene.row.usage, scene.row.cost) == (USAGE, Decimal("0.00007"))
    assert scene.row.provider_request_id == "req-1"


async def test_a_captured_call_that_is_cancelled_keeps_its_question(scene: Scene) -> None:
    scene.settings.set(CONTENT_CAPTURE, True, TEAM_ID)
    task = await held_at(scene.provider.working, scene.invoke(body=b"asked"))

    await cancelled(task)

    assert scene.row.content is not None
    assert (scene.row.content.request, scene.row.content.response) == ("asked", "")
