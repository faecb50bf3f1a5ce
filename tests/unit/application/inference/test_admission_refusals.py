from typing import Any

import pytest

from application.inference.ports import Operation
from domain.identity.permissions import Permission
from domain.inference.call import CallStatus
from domain.inference.errors import ContextLengthExceededError, LedgerUnavailableError
from domain.models.errors import ModelNotAllowedError, ModelNotFoundError, WrongModelKindError
from domain.shared.errors import ForbiddenError, FunctionalError
from tests.builders import an_actor
from tests.fakes.clock import START
from tests.fakes.gate import held_at
from tests.unit.application.inference.scene import Scene, cancelled

REFUSED: list[tuple[dict[str, Any], type[FunctionalError]]] = [
    ({"actor": an_actor(permissions=frozenset({Permission.READ_CALLS}))}, ForbiddenError),
    ({"model": "nothing"}, ModelNotFoundError),
    ({"actor": an_actor(allowed_models=("small*",))}, ModelNotAllowedError),
    ({"actor": an_actor(allowed_models=())}, ModelNotAllowedError),
    ({"model": "vectors"}, WrongModelKindError),
    ({"model": "vectors", "operation": Operation.COMPLETION}, WrongModelKindError),
    ({"operation": Operation.EMBEDDING}, WrongModelKindError),
    ({"model": "short", "max_output_tokens": 101}, ContextLengthExceededError),
]
IDS = [
    "no permission",
    "unknown model",
    "outside the allow-list",
    "empty allow-list",
    "chat with an embedding model",
    "completion with an embedding model",
    "embedding with a chat model",
    "more output than the context",
]


@pytest.mark.parametrize(("fields", "error"), REFUSED, ids=IDS)
async def test_a_refused_call_has_a_row_and_reaches_no_provider(
    scene: Scene, fields: dict[str, Any], error: type[FunctionalError]
) -> None:
    with pytest.raises(error):
        await scene.invoke(**fields)

    assert scene.row.status is CallStatus.REFUSED
    assert scene.row.error_code == error.code
    assert (scene.row.created_at, scene.row.settled_at) == (START, START)
    assert (scene.row.provider, scene.row.price, scene.row.usage) == (None, None, None)
    assert scene.provider.requests == []


@pytest.mark.parametrize(("fields", "error"), REFUSED, ids=IDS)
async def test_a_stream_is_refused_before_it_is_returned(
    scene: Scene, fields: dict[str, Any], error: type[FunctionalError]
) -> None:
    with pytest.raises(error):
        await scene.stream(**fields)

    assert scene.row.status is CallStatus.REFUSED
    assert scene.row.stream
    assert scene.provider.requests == []


async def test_a_refusal_names_the_parameter_that_is_too_big(scene: Scene) -> None:
    with pytest.raises(ContextLengthExceededError) as refused:
        await scene.invoke(model="short", max_output_tokens=101)

    assert refused.value.param == "max_tokens"
    assert "100 tokens" in refused.value.message
    assert "101 tokens" in refused.value.message


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "short", "max_output_tokens": 100},
        {"model": "short"},
        {"model": "large", "max_output_tokens": 1_000_000},
        {"actor": an_actor(allowed_models=("large",))},
        {"actor": an_actor(allowed_models=("small", "lar*"))},
        {"actor": an_actor(allowed_models=("default",))},
        {"actor": an_actor(permissions=frozenset({Permission.INVOKE_MODELS}))},
    ],
    ids=[
        "output that fits",
        "no limit asked for",
        "a context of unknown length",
        "allowed by name",
        "allowed by a pattern",
        "allowed by an alias",
        "the one permission it takes",
    ],
)
async def test_a_call_within_its_rights_is_admitted(scene: Scene, fields: dict[str, Any]) -> None:
    await scene.invoke(**fields)

    assert scene.row.status is CallStatus.SUCCEEDED


async def test_a_refusal_is_told_when_its_row_is_durable(scene: Scene) -> None:
    task = await held_at(scene.ledger.committed, scene.invoke(model="nothing"))

    assert not task.done()

    scene.ledger.committed.open()
    with pytest.raises(ModelNotFoundError):
        await task


async def test_a_refusal_that_is_cancelled_stays_one(scene: Scene) -> None:
    task = await held_at(scene.ledger.committed, scene.invoke(model="nothing"))

    await cancelled(task)

    assert scene.row.status is CallStatus.REFUSED


async def test_a_refusal_that_cannot_be_written_is_not_told(scene: Scene) -> None:
    scene.ledger.committed.fail(LedgerUnavailableError("The ledger is away."))

    with pytest.raises(LedgerUnavailableError):
        await scene.invoke(model="nothing")
