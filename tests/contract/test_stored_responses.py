"""What every store of responses has to keep."""

import json
from datetime import timedelta
from typing import Any

import pytest

from adapters.postgres.inference.stored_responses import PostgresStoredResponses
from application.inference.responses.ports import (
    ResponsesUnitOfWork,
    ResponseViewer,
    StoredResponses,
)
from domain.inference.response_errors import (
    PreviousResponseNotFoundError,
    ResponseChainTooLongError,
    ResponseNotFoundError,
)
from domain.inference.stored_response import ResponseStatus, StoredResponse
from domain.shared.ids import KeyId, ResponseId, UserId
from tests.builders import KEY_ID, OTHER_TEAM_ID, TEAM_ID, USER_ID, a_team
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fakes.stored_responses import (
    InMemoryResponsesUnitOfWork,
    InMemoryStoredResponses,
    an_item,
)
from tests.fixtures.stores import PostgresIdentityStore

FIRST, SECOND, THIRD = (ResponseId(uuid7_at(START, number)) for number in (1, 2, 3))
NUL = "a\u0000b ünï"


@pytest.fixture
def memory_responses() -> StoredResponses:
    return InMemoryStoredResponses()


@pytest.fixture
async def postgres_responses(postgres_identity: PostgresIdentityStore) -> StoredResponses:
    async with postgres_identity.unit_of_work() as tx:
        await tx.teams.add(a_team())
        await tx.teams.add(a_team(id=OTHER_TEAM_ID))
        await tx.commit()
    return PostgresStoredResponses(postgres_identity.engine)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> StoredResponses:
    found: StoredResponses = request.getfixturevalue(f"{request.param}_responses")
    return found


@pytest.fixture
def uow(request: pytest.FixtureRequest, store: StoredResponses) -> ResponsesUnitOfWork:
    if isinstance(store, InMemoryStoredResponses):
        return InMemoryResponsesUnitOfWork(store)
    identity: PostgresIdentityStore = request.getfixturevalue("postgres_identity")
    return identity.unit_of_work()


async def remove(uow: ResponsesUnitOfWork, viewer: ResponseViewer) -> None:
    async with uow as tx:
        await tx.kept_responses.remove(viewer, FIRST)
        await tx.commit()


def a_response(**fields: Any) -> StoredResponse:
    said = fields.pop("said", "Hello")
    output = an_item(f"msg_{said}", said)
    document = json.dumps({"object": "response", "output": [json.loads(output.json)]})
    defaults: dict[str, Any] = {
        "id": FIRST,
        "team_id": TEAM_ID,
        "key_id": KEY_ID,
        "user_id": USER_ID,
        "model": "large",
        "status": ResponseStatus.COMPLETED,
        "created_at": START,
        "input": (an_item("msg_in", NUL),),
        "output": (output,),
        "document": document,
        "expires_at": START + timedelta(days=30),
    }
    return StoredResponse(**(defaults | fields))


def a_viewer(**fields: Any) -> ResponseViewer:
    defaults: dict[str, Any] = {
        "team_id": TEAM_ID,
        "key_id": KEY_ID,
        "user_id": None,
        "sees_all": False,
        "at": START,
    }
    return ResponseViewer(**(defaults | fields))


def ids(items: Any) -> list[str]:
    return [item.id for item in items]


@pytest.mark.parametrize(
    "response",
    [
        a_response(),
        a_response(key_id=None, user_id=None, previous_id=SECOND, expires_at=None, input=()),
        a_response(status=ResponseStatus.CANCELLED),
    ],
)
async def test_reads_back_what_was_stored(store: StoredResponses, response: StoredResponse) -> None:
    await store.add(response)

    assert await store.get(a_viewer(sees_all=True), FIRST) == response


@pytest.mark.parametrize(
    "viewer",
    [
        a_viewer(),
        a_viewer(key_id=None, user_id=USER_ID),
        a_viewer(key_id=None, sees_all=True),
    ],
)
async def test_those_who_made_it_and_those_who_see_all_find_it(
    store: StoredResponses, uow: ResponsesUnitOfWork, viewer: ResponseViewer
) -> None:
    await store.add(a_response())

    assert (await store.get(viewer, FIRST)).id == FIRST
    assert ids(await store.chain(viewer, FIRST, most=9, most_bytes=999)) == ["msg_in", "msg_Hello"]
    assert ids((await store.items(viewer, ["msg_in"])).values()) == ["msg_in"]
    await remove(uow, viewer)


@pytest.mark.parametrize(
    "viewer",
    [
        a_viewer(team_id=OTHER_TEAM_ID, sees_all=True),
        a_viewer(key_id=KeyId(uuid7_at(START, 9)), user_id=UserId(uuid7_at(START, 9))),
        a_viewer(key_id=None),
        a_viewer(at=START + timedelta(days=30), sees_all=True),
    ],
    ids=["another team", "another key", "nobody", "too late"],
)
async def test_nobody_else_finds_it(
    store: StoredResponses, uow: ResponsesUnitOfWork, viewer: ResponseViewer
) -> None:
    await store.add(a_response())

    with pytest.raises(ResponseNotFoundError):
        await store.get(viewer, FIRST)
    with pytest.raises(ResponseNotFoundError):
        await remove(uow, viewer)
    with pytest.raises(PreviousResponseNotFoundError):
        await store.chain(viewer, FIRST, most=9, most_bytes=999)
    assert await store.items(viewer, ["msg_in"]) == {}
    assert (await store.get(a_viewer(), FIRST)).id == FIRST


async def _three(store: StoredResponses) -> None:
    for number, (each, before) in enumerate(((FIRST, None), (SECOND, FIRST), (THIRD, SECOND))):
        asked = (an_item(f"msg_in{number}"),)
        await store.add(a_response(id=each, previous_id=before, input=asked, said=f"out{number}"))


async def test_a_chain_is_told_from_its_beginning(store: StoredResponses) -> None:
    await _three(store)

    items = await store.chain(a_viewer(), THIRD, most=3, most_bytes=9999)

    assert ids(items) == ["msg_in0", "msg_out0", "msg_in1", "msg_out1", "msg_in2", "msg_out2"]
    assert json.loads(items[1].json)["content"][0]["text"] == "out0"


@pytest.mark.parametrize(("most", "most_bytes"), [(2, 9999), (3, 100)])
async def test_a_chain_that_is_too_long_is_refused(
    store: StoredResponses, most: int, most_bytes: int
) -> None:
    await _three(store)

    with pytest.raises(ResponseChainTooLongError):
        await store.chain(a_viewer(), THIRD, most=most, most_bytes=most_bytes)


async def test_a_chain_with_a_gap_names_what_is_missing(
    store: StoredResponses, uow: ResponsesUnitOfWork
) -> None:
    await _three(store)
    await remove(uow, a_viewer())

    with pytest.raises(PreviousResponseNotFoundError) as missing:
        await store.chain(a_viewer(), THIRD, most=9, most_bytes=9999)

    assert f"resp_{FIRST.hex}" in missing.value.message


async def test_a_chain_does_not_lead_through_what_others_made(store: StoredResponses) -> None:
    other = KeyId(uuid7_at(START, 9))
    await store.add(a_response(key_id=other, user_id=None))
    await store.add(a_response(id=SECOND, previous_id=FIRST))

    with pytest.raises(PreviousResponseNotFoundError):
        await store.chain(a_viewer(), SECOND, most=9, most_bytes=9999)


async def test_the_newest_item_of_an_id_is_found(store: StoredResponses) -> None:
    await store.add(a_response(input=(an_item("msg_x", "old"),)))
    await store.add(a_response(id=SECOND, input=(an_item("msg_x", "new"),)))

    found = await store.items(a_viewer(), ["msg_x", "msg_Hello", "msg_unknown"])

    assert sorted(found) == ["msg_Hello", "msg_x"]
    assert "new" in found["msg_x"].json


@pytest.mark.parametrize("name", ["a\0b", "x" * 100_000, ""], ids=["nul", "long", "none"])
async def test_what_is_no_name_of_an_item_is_kept_and_not_found(
    store: StoredResponses, name: str
) -> None:
    await store.add(a_response(input=(an_item(name, "hi"),)))

    assert ids(await store.chain(a_viewer(), FIRST, most=9, most_bytes=999_999)) == [
        name,
        "msg_Hello",
    ]
    assert await store.items(a_viewer(), [name]) == {}
