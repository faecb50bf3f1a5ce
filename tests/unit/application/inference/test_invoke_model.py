from datetime import timedelta
from decimal import Decimal

import pytest

from application.inference.ports import Operation, ProviderRequest
from domain.inference.call import Call, CallStatus
from domain.inference.errors import (
    LedgerUnavailableError,
    ProviderRejectedError,
    ProviderTimedOutError,
)
from tests.builders import KEY_ID, PRICES, TEAM_ID, USER_ID, a_model
from tests.fakes.clock import START
from tests.fakes.gate import held_at
from tests.fakes.providers import USAGE
from tests.unit.application.inference.scene import BODY, Scene, a_command


async def test_hands_out_the_answer_of_the_provider(scene: Scene) -> None:
    answer = await scene.invoke()

    assert answer == scene.provider.answer


async def test_settles_the_row_with_all_that_is_known(scene: Scene) -> None:
    task = await held_at(scene.provider.working, scene.invoke())
    scene.clock.advance(0.25)
    scene.provider.working.open()
    await task

    assert scene.row == Call(
        id=a_command().call_id,
        team_id=TEAM_ID,
        key_id=KEY_ID,
        user_id=USER_ID,
        correlation_id="c-1",
        endpoint="/v1/chat/completions",
        model="large",
        stream=False,
        created_at=START,
        provider="acme",
        deployment="acme/large-2",
        price=PRICES,
        status=CallStatus.SUCCEEDED,
        settled_at=START + timedelta(seconds=0.25),
        finish_reason="stop",
        usage=USAGE,
        cost=Decimal("0.00007"),
        latency_ms=250.0,
        ttft_ms=250.0,
        provider_request_id="req-1",
    )


async def test_the_provider_gets_the_body_as_it_came(scene: Scene) -> None:
    await scene.invoke(body=BODY, include_usage=True)

    assert scene.provider.requests == [
        ProviderRequest(
            operation=Operation.CHAT,
            model=a_model(name="large", aliases=("default",)),
            body=BODY,
            correlation_id="c-1",
            stream=False,
            include_usage=True,
        )
    ]


async def test_the_provider_is_called_only_when_the_row_has_left(scene: Scene) -> None:
    task = await held_at(scene.ledger.sent, scene.invoke())

    assert scene.provider.requests == []
    assert scene.row.status is CallStatus.OPEN

    scene.ledger.sent.open()
    await task

    assert len(scene.provider.requests) == 1


async def test_the_answer_waits_until_the_row_is_durable(scene: Scene) -> None:
    task = await held_at(scene.ledger.committed, scene.invoke())

    assert len(scene.provider.requests) == 1
    assert not task.done()

    before = scene.row.status
    scene.ledger.committed.open()
    await task

    assert (before, scene.row.status) == (CallStatus.OPEN, CallStatus.SUCCEEDED)


async def test_waiting_for_the_ledger_counts_as_latency_but_not_as_first_byte(
    scene: Scene,
) -> None:
    task = await held_at(scene.ledger.committed, scene.invoke())
    scene.clock.advance(0.5)
    scene.ledger.committed.open()
    await task

    assert (scene.row.ttft_ms, scene.row.latency_ms) == (0.0, 500.0)


async def test_no_call_is_made_when_the_row_cannot_leave(scene: Scene) -> None:
    scene.ledger.sent.fail(LedgerUnavailableError("The ledger is away."))

    with pytest.raises(LedgerUnavailableError):
        await scene.invoke()

    assert scene.provider.requests == []
    assert scene.row.status is CallStatus.FAILED
    assert scene.row.error_code == "LEDGER_UNAVAILABLE"


async def test_no_answer_is_given_when_the_row_does_not_become_durable(scene: Scene) -> None:
    scene.ledger.committed.fail(LedgerUnavailableError("The ledger is away."))

    with pytest.raises(LedgerUnavailableError):
        await scene.invoke()

    assert scene.row.status is CallStatus.FAILED
    assert scene.row.error_code == "LEDGER_UNAVAILABLE"
    assert (scene.row.usage, scene.row.cost) == (USAGE, Decimal("0.00007"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProviderRejectedError("No."), "PROVIDER_REJECTED"),
        (ProviderTimedOutError("Too slow."), "PROVIDER_TIMEOUT"),
        (ValueError("a bug"), "INTERNAL_ERROR"),
    ],
)
async def test_a_failing_provider_fails_the_call(scene: Scene, error: Exception, code: str) -> None:
    scene.provider.working.fail(error)

    with pytest.raises(type(error)):
        await scene.invoke()

    assert scene.row.status is CallStatus.FAILED
    assert scene.row.error_code == code
    assert (scene.row.usage, scene.row.cost, scene.row.ttft_ms) == (None, None, None)
    assert scene.row.deployment == "acme/large-2"


async def test_a_failure_keeps_what_the_provider_calls_the_request(scene: Scene) -> None:
    error = ProviderRejectedError("No.")
    error.provider_request_id = "req-no"
    scene.provider.working.fail(error)

    with pytest.raises(ProviderRejectedError):
        await scene.invoke()

    assert scene.row.provider_request_id == "req-no"


async def test_a_missing_provider_fails_the_call(scene: Scene) -> None:
    with pytest.raises(KeyError):
        await scene.invoke(model="misconfigured")

    assert scene.row.status is CallStatus.FAILED
    assert scene.row.error_code == "INTERNAL_ERROR"


async def test_an_unpriced_model_has_usage_but_no_cost(scene: Scene) -> None:
    await scene.invoke(model="unpriced")

    assert (scene.row.usage, scene.row.price, scene.row.cost) == (USAGE, None, None)


async def test_an_alias_is_recorded_as_it_was_asked_for(scene: Scene) -> None:
    await scene.invoke(model="default")

    assert scene.row.model == "default"
    assert scene.row.deployment == "acme/large-2"


async def test_embeddings_go_to_embedding_models(scene: Scene) -> None:
    await scene.invoke(operation=Operation.EMBEDDING, model="vectors")

    assert scene.row.endpoint == "/v1/embeddings"
    assert scene.row.status is CallStatus.SUCCEEDED


async def test_legacy_completions_go_to_chat_models(scene: Scene) -> None:
    await scene.invoke(operation=Operation.COMPLETION)

    assert scene.row.endpoint == "/v1/completions"
    assert scene.row.status is CallStatus.SUCCEEDED


async def test_what_a_provider_answered_in_vain_is_paid_for(scene: Scene) -> None:
    error = ProviderRejectedError("no place for it")
    error.spent = USAGE
    scene.provider.working.fail(error)

    with pytest.raises(ProviderRejectedError):
        await scene.invoke()

    assert scene.row.status is CallStatus.FAILED
    assert scene.row.usage == USAGE
    assert scene.row.cost == Decimal("0.00007")
