"""What every reader of past events has to keep."""

from typing import Any

import pytest

from adapters.postgres.operations.event_reader import PostgresEventReader
from application.operations.events.ports import EventReader
from domain.identity.permissions import Permission
from domain.operations.event import Event
from domain.shared.errors import InvalidError
from domain.shared.ids import UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID
from tests.event_builders import an_event
from tests.fakes.clock import START
from tests.fakes.events import InMemoryEventReader
from tests.fakes.ids import uuid7_at
from tests.fixtures.stores import IdentityStore, MemoryIdentityStore, PostgresIdentityStore

pytestmark = pytest.mark.usefixtures("uow")


@pytest.fixture
def reader(identity: IdentityStore) -> EventReader:
    if isinstance(identity, MemoryIdentityStore):
        return InMemoryEventReader(identity.database)
    assert isinstance(identity, PostgresIdentityStore)
    return PostgresEventReader(identity.engine)


async def happen(identity: IdentityStore, *events: Event) -> None:
    async with identity.unit_of_work() as tx:
        for event in events:
            await tx.events.add(event)
        await tx.commit()


async def read(reader: EventReader, **options: Any) -> tuple[tuple[Event, ...], str | None]:
    permissions = frozenset({Permission.READ_TEAM})
    usual: dict[str, Any] = {"cursor": None, "limit": 10}
    found = await reader.list(TEAM_ID, USER_ID, permissions, **(usual | options))
    return found.items, found.next_cursor


async def test_events_are_read_newest_first_piece_by_piece(
    reader: EventReader, identity: IdentityStore
) -> None:
    events = [an_event(data={"n": n}) for n in range(5)]
    await happen(identity, *events)

    first, cursor = await read(reader, limit=2)
    second, cursor = await read(reader, limit=2, cursor=cursor)
    third, end = await read(reader, limit=2, cursor=cursor)

    assert [*first, *second, *third] == events[::-1]
    assert end is None


async def test_only_what_concerns_the_reader_is_read(
    reader: EventReader, identity: IdentityStore
) -> None:
    mine = [an_event(user_id=USER_ID), an_event(permission=Permission.READ_TEAM), an_event()]
    others = [
        an_event(user_id=UserId(uuid7_at(START, 30))),
        an_event(permission=Permission.MANAGE_LIMITS),
        an_event(user_id=USER_ID, permission=Permission.MANAGE_LIMITS),
        an_event(team_id=OTHER_TEAM_ID),
    ]
    await happen(identity, *mine, *others)

    assert (await read(reader))[0] == tuple(reversed(mine))


async def test_what_is_no_cursor_is_refused(reader: EventReader) -> None:
    with pytest.raises(InvalidError):
        await read(reader, cursor="tuesday")
