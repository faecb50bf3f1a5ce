from decimal import Decimal

import pytest

from application.inference.call_trace import CallTrace
from application.inference.ports import ProviderAnswer
from domain.inference.call import CallStatus
from tests.fakes.gate import Gate, held_at
from tests.unit.application.inference.scene import Scene, cancelled


class Client:
    """Takes answers when its gate is open."""

    def __init__(self) -> None:
        self.taking = Gate()
        self.answers: list[ProviderAnswer] = []

    async def deliver(self, answer: ProviderAnswer) -> None:
        await self.taking.passed()
        self.answers.append(answer)


async def test_an_answer_is_delivered_before_its_outcome_is_on_record(scene: Scene) -> None:
    client, trace = Client(), CallTrace()

    task = await held_at(client.taking, scene.invoke(deliver=client.deliver, trace=trace))
    status = scene.row.status
    client.taking.open()
    answer = await task

    assert client.answers == [answer]
    assert status is CallStatus.OPEN
    assert scene.row.status is CallStatus.SUCCEEDED


async def test_what_a_call_cost_stands_when_its_answer_is_delivered(scene: Scene) -> None:
    client, trace = Client(), CallTrace()

    task = await held_at(client.taking, scene.invoke(deliver=client.deliver, trace=trace))
    cost = trace.call.cost if trace.call is not None else None
    client.taking.open()
    await task

    assert cost == scene.row.cost == Decimal("0.00007")


async def test_an_answer_is_delivered_only_when_its_row_is_durable(scene: Scene) -> None:
    client = Client()

    task = await held_at(scene.ledger.committed, scene.invoke(deliver=client.deliver))
    early = list(client.answers)
    scene.ledger.committed.open()
    answer = await task

    assert early == []
    assert client.answers == [answer]


async def test_a_client_that_leaves_during_the_delivery_was_answered(scene: Scene) -> None:
    client = Client()
    task = await held_at(client.taking, scene.invoke(deliver=client.deliver))

    await cancelled(task)

    assert scene.row.status is CallStatus.SUCCEEDED


async def test_an_answer_that_cannot_be_delivered_is_on_record_all_the_same(scene: Scene) -> None:
    client = Client()
    client.taking.fail(ConnectionResetError())

    with pytest.raises(ConnectionResetError):
        await scene.invoke(deliver=client.deliver)

    assert scene.row.status is CallStatus.SUCCEEDED


async def test_a_failure_is_not_delivered(scene: Scene) -> None:
    client = Client()
    scene.provider.working.fail(ConnectionResetError())

    with pytest.raises(ConnectionResetError):
        await scene.invoke(deliver=client.deliver)

    assert client.answers == []
    assert scene.row.status is CallStatus.FAILED
