from datetime import timedelta
from typing import Any

import pytest

from application.inference.responses.planned_response import MOST_BYTES
from domain.identity.permissions import Permission
from domain.inference.call import CallStatus
from domain.inference.response_errors import (
    PreviousResponseNotFoundError,
    ResponseChainTooLongError,
    StoringDisabledError,
)
from domain.inference.stored_response import ResponseStatus, response_id_of
from domain.operations.response_settings import RETENTION_RESPONSES_DAYS, STORE_RESPONSES
from domain.shared.errors import ForbiddenError, UnavailableError
from tests.builders import KEY_ID, OTHER_TEAM_ID, TEAM_ID, USER_ID, an_actor
from tests.fakes.gate import held_at
from tests.unit.application.inference.responses.responses_scene import ResponsesScene
from tests.unit.application.inference.scene import cancelled


async def test_a_response_is_kept_under_its_calls_id(scene: ResponsesScene) -> None:
    scene.says("Hello")

    response = await scene.answer("Hi")

    stored = scene.stored
    assert response == {
        "id": stored.name,
        "store": True,
        "status": "completed",
        "output": ["Hello"],
    }
    assert stored.id == scene.row.id
    assert (stored.team_id, stored.key_id, stored.user_id) == (TEAM_ID, KEY_ID, USER_ID)
    assert ([i.id for i in stored.input], [o.id for o in stored.output]) == (
        ["in_Hi"],
        ["out_Hello"],
    )
    assert stored.status is ResponseStatus.COMPLETED
    assert stored.created_at == scene.clock.now()


async def test_it_goes_on_from_all_that_was_said_before(scene: ResponsesScene) -> None:
    scene.says("Hello")
    first = await scene.answer("Hi")
    scene.says("Fine")
    second = await scene.answer("How are you?", previous_response_id=first["id"])
    await scene.answer("And now?", previous_response_id=second["id"])

    assert scene.sent == ["Hi", "Hello", "How are you?", "Fine", "And now?"]
    last = scene.responses.rows[max(scene.responses.rows)]
    assert [item.id for item in last.input] == ["in_And now?"]
    assert last.previous_id == response_id_of(second["id"])


async def test_what_was_made_unreadable_on_its_way_is_not_kept(scene: ResponsesScene) -> None:
    scene.says("Hello")
    first = await scene.answer("before")
    scene.blackens("secret")

    await scene.answer("a secret", "#out_Hello", "ours", previous_response_id=first["id"])

    last = scene.responses.rows[max(scene.responses.rows)]
    assert [item.json for item in last.input] == ['"a [gone]"', '"ours"']
    assert [item.id for item in last.input] == ["in_a secret", "in_ours"]


async def test_a_conversation_may_become_too_long(scene: ResponsesScene) -> None:
    scene.says("x" * MOST_BYTES)
    first = await scene.answer("Hi")

    with pytest.raises(ResponseChainTooLongError) as refused:
        await scene.answer("And?", previous_response_id=first["id"])

    assert refused.value.param == "previous_response_id"


async def test_a_conversation_is_known_by_what_it_began_with(scene: ResponsesScene) -> None:
    scene.says("Hello")
    first = await scene.answer("Hi")
    await scene.answer("And?", previous_response_id=first["id"])
    await scene.answer("And?", conversation="ours")
    await scene.answer("And?", store=False)

    known_by = [command.conversation for command in scene.watching.commands]
    assert known_by == ["in_Hi", "in_Hi", "ours", None]


async def test_an_item_can_be_named_instead_of_sent(scene: ResponsesScene) -> None:
    scene.says("Hello")
    await scene.answer("Hi")

    await scene.answer("#out_Hello", "Go on")

    assert scene.sent == ["Hello", "Go on"]


async def test_nothing_is_kept_at_the_clients_wish(scene: ResponsesScene) -> None:
    scene.says("Hello")

    response = await scene.answer("Hi", store=False)

    assert response["store"] is False
    assert scene.responses.rows == {}


async def test_nothing_is_kept_where_the_team_does_not_want_it(scene: ResponsesScene) -> None:
    scene.says("Hello")
    scene.settings.set(STORE_RESPONSES, False, TEAM_ID)

    response = await scene.answer("Hi")

    assert response["store"] is False
    assert scene.responses.rows == {}


async def test_who_insists_on_keeping_is_refused_there(scene: ResponsesScene) -> None:
    scene.settings.set(STORE_RESPONSES, False, TEAM_ID)

    with pytest.raises(StoringDisabledError):
        await scene.answer("Hi", store=True)

    assert (scene.row.status, scene.row.error_code) == (CallStatus.REFUSED, "STORING_DISABLED")


@pytest.mark.parametrize(("days", "kept"), [(30, timedelta(days=30)), (0, None)])
async def test_it_is_kept_as_long_as_the_team_says(
    scene: ResponsesScene, days: int, kept: timedelta | None
) -> None:
    scene.says("Hello")
    scene.settings.set(RETENTION_RESPONSES_DAYS, days, TEAM_ID)

    await scene.answer("Hi")

    assert scene.stored.expires_at == (scene.clock.now() + kept if kept else None)


@pytest.mark.parametrize("name", ["resp_x", "", "resp_" + "0" * 32])
async def test_an_unknown_response_is_refused_and_on_record(
    scene: ResponsesScene, name: str
) -> None:
    with pytest.raises(PreviousResponseNotFoundError) as refused:
        await scene.answer("Hi", previous_response_id=name)

    assert refused.value.message == f"Previous response with id '{name}' not found."
    assert (scene.row.status, scene.row.error_code) == (
        CallStatus.REFUSED,
        "PREVIOUS_RESPONSE_NOT_FOUND",
    )
    assert scene.row.endpoint == "/v1/responses"


@pytest.mark.parametrize(
    "fields",
    [
        {"team_id": OTHER_TEAM_ID},
        {
            "key_id": None,
            "user_id": None,
            "permissions": frozenset({Permission.INVOKE_MODELS}),
        },
    ],
    ids=["another team", "somebody else"],
)
async def test_nobody_goes_on_from_what_others_made(
    scene: ResponsesScene, fields: dict[str, Any]
) -> None:
    scene.says("Hello")
    first = await scene.answer("Hi")

    with pytest.raises(PreviousResponseNotFoundError):
        await scene.answer("Hi", previous_response_id=first["id"], actor=an_actor(**fields))


async def test_who_may_call_no_models_learns_nothing(scene: ResponsesScene) -> None:
    with pytest.raises(ForbiddenError):
        await scene.answer("Hi", actor=an_actor(permissions=frozenset()))

    assert scene.row.status is CallStatus.REFUSED


async def test_an_answer_outlives_a_store_that_fails(scene: ResponsesScene) -> None:
    scene.says("Hello")
    scene.responses.adding.fail(UnavailableError("The database is away."))

    response = await scene.answer("Hi")

    assert (response["output"], response["store"]) == (["Hello"], False)
    assert [error.message for error in scene.errands.failures] == ["The database is away."]
    assert scene.row.status is CallStatus.SUCCEEDED


async def test_an_answer_does_not_wait_for_ever_for_the_store(scene: ResponsesScene) -> None:
    scene.says("Hello")
    scene.responses.adding.shut()

    response = await scene.answer("Hi")

    assert response["store"] is False
    scene.responses.adding.open()
    await scene.errands.finished()


async def test_an_answer_outlives_too_much_that_is_to_be_stored(scene: ResponsesScene) -> None:
    scene.says("Hello")
    scene.errands.is_full = True

    response = await scene.answer("Hi")

    assert response["store"] is False


async def test_it_is_kept_although_its_client_hangs_up_meanwhile(scene: ResponsesScene) -> None:
    scene.says("Hello")
    task = await held_at(scene.responses.adding, scene.answer("Hi"))

    await cancelled(task)
    scene.responses.adding.open()
    await scene.errands.finished()

    assert scene.stored.status is ResponseStatus.COMPLETED
