from typing import Any

import pytest

from application.inference.responses.cancel_response import CancelResponse, CancelResponseCommand
from application.inference.responses.delete_response import DeleteResponse, DeleteResponseCommand
from application.inference.responses.get_response import GetResponse, GetResponseQuery
from application.inference.responses.list_input_items import (
    ListInputItems,
    ListInputItemsQuery,
)
from application.shared.auditing import Auditor
from domain.identity.permissions import Permission
from domain.inference.response_errors import ResponseNotFoundError
from domain.shared.errors import ForbiddenError, InvalidError
from domain.shared.ids import KeyId, UserId
from tests.builders import OTHER_TEAM_ID, an_actor
from tests.fakes.clock import START
from tests.fakes.ids import SequentialIds, uuid7_at
from tests.fakes.stored_responses import InMemoryResponsesUnitOfWork
from tests.unit.application.inference.responses.responses_scene import ResponsesScene

NOBODY: dict[str, Any] = {
    "key_id": KeyId(uuid7_at(START, 90)),
    "user_id": UserId(uuid7_at(START, 91)),
}
CALLER = frozenset({Permission.INVOKE_MODELS})
READER = frozenset({Permission.READ_CALLS})


@pytest.fixture
async def name(scene: ResponsesScene) -> str:
    scene.says("Hello")
    response = await scene.answer("one", "two", "three")
    found: str = response["id"]
    return found


@pytest.mark.parametrize(
    "actor",
    [an_actor(permissions=CALLER), an_actor(permissions=READER, **NOBODY)],
    ids=["who made it", "who sees all calls"],
)
async def test_a_response_is_shown_to_whom_it_concerns(
    scene: ResponsesScene, name: str, actor: Any
) -> None:
    get_response = GetResponse(responses=scene.responses, clock=scene.clock)

    found = await get_response(GetResponseQuery(actor=actor, name=name))

    assert found == scene.stored


@pytest.mark.parametrize(
    "actor",
    [an_actor(permissions=CALLER, **NOBODY), an_actor(team_id=OTHER_TEAM_ID)],
    ids=["somebody else", "another team"],
)
async def test_a_response_is_shown_to_nobody_else(
    scene: ResponsesScene, name: str, actor: Any
) -> None:
    get_response = GetResponse(responses=scene.responses, clock=scene.clock)

    with pytest.raises(ResponseNotFoundError):
        await get_response(GetResponseQuery(actor=actor, name=name))


async def test_who_may_do_neither_is_refused(scene: ResponsesScene, name: str) -> None:
    get_response = GetResponse(responses=scene.responses, clock=scene.clock)

    with pytest.raises(ForbiddenError):
        await get_response(GetResponseQuery(actor=an_actor(permissions=frozenset()), name=name))


@pytest.mark.parametrize("name", ["resp_1", "chatcmpl-1", ""])
async def test_what_is_no_name_is_not_found(scene: ResponsesScene, name: str) -> None:
    get_response = GetResponse(responses=scene.responses, clock=scene.clock)

    with pytest.raises(ResponseNotFoundError) as refused:
        await get_response(GetResponseQuery(actor=an_actor(), name=name))

    assert refused.value.message == f"Response with id '{name}' not found."


def deleting(scene: ResponsesScene, uow: InMemoryResponsesUnitOfWork) -> DeleteResponse:
    auditor = Auditor(clock=scene.clock, ids=SequentialIds())
    return DeleteResponse(uow=uow, auditor=auditor, clock=scene.clock)


async def test_who_made_it_deletes_it(scene: ResponsesScene, name: str) -> None:
    uow = InMemoryResponsesUnitOfWork(scene.responses)

    await deleting(scene, uow)(DeleteResponseCommand(actor=an_actor(), name=name))

    assert scene.responses.rows == {}
    assert [(one.action, one.target_type) for one in uow.recorded] == [
        ("response.deleted", "response")
    ]


async def test_who_only_sees_it_does_not_delete_it(scene: ResponsesScene, name: str) -> None:
    uow = InMemoryResponsesUnitOfWork(scene.responses)

    with pytest.raises(ResponseNotFoundError):
        await deleting(scene, uow)(DeleteResponseCommand(actor=an_actor(**NOBODY), name=name))

    assert uow.recorded == []

    assert scene.stored.name == name


async def test_nothing_can_be_cancelled(scene: ResponsesScene, name: str) -> None:
    cancel = CancelResponse(responses=scene.responses, clock=scene.clock)

    with pytest.raises(InvalidError) as refused:
        await cancel(CancelResponseCommand(actor=an_actor(), name=name))
    with pytest.raises(ResponseNotFoundError):
        await cancel(CancelResponseCommand(actor=an_actor(team_id=OTHER_TEAM_ID), name=name))

    assert refused.value.message == "Cannot cancel a synchronous response."


@pytest.mark.parametrize(
    ("query", "ids", "has_more"),
    [
        ({}, ["in_three", "in_two", "in_one"], False),
        ({"is_ascending": True}, ["in_one", "in_two", "in_three"], False),
        ({"limit": 2}, ["in_three", "in_two"], True),
        ({"after": "in_three"}, ["in_two", "in_one"], False),
        ({"after": "in_one", "is_ascending": True, "limit": 1}, ["in_two"], True),
        ({"after": "in_one"}, [], False),
    ],
)
async def test_input_items_are_listed(
    scene: ResponsesScene, name: str, query: dict[str, Any], ids: list[str], has_more: bool
) -> None:
    list_items = ListInputItems(responses=scene.responses, clock=scene.clock)

    listed = await list_items(ListInputItemsQuery(actor=an_actor(), name=name, **query))

    assert ([item.id for item in listed.items], listed.has_more) == (ids, has_more)


@pytest.mark.parametrize(
    ("query", "param"),
    [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"after": "x"}, "after")],
)
async def test_a_slice_that_makes_no_sense_is_refused(
    scene: ResponsesScene, name: str, query: dict[str, Any], param: str
) -> None:
    list_items = ListInputItems(responses=scene.responses, clock=scene.clock)

    with pytest.raises(InvalidError) as refused:
        await list_items(ListInputItemsQuery(actor=an_actor(), name=name, **query))

    assert refused.value.param == param
