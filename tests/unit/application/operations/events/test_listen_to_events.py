from dataclasses import replace

import pytest

from application.operations.events.list_events import ListEvents, ListEventsQuery
from application.operations.events.listen_to_events import ListenToEvents, ListenToEventsQuery
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.operations.event import Event
from domain.shared.errors import ForbiddenError, InvalidError
from domain.shared.ids import UserId
from tests.builders import OTHER_TEAM_ID, USER_ID, an_actor
from tests.event_builders import an_event
from tests.fakes.clock import START
from tests.fakes.events import InMemoryEventFeed, InMemoryEventReader
from tests.fakes.identity_state import InMemoryIdentity
from tests.fakes.ids import uuid7_at

OTHER_USER_ID = UserId(uuid7_at(START, 30))
READER = an_actor(permissions=frozenset({Permission.READ_TEAM}))
STRANGER = an_actor(permissions=frozenset({Permission.INVOKE_MODELS}))


@pytest.fixture
def database() -> InMemoryIdentity:
    return InMemoryIdentity()


@pytest.mark.parametrize(
    ("fields", "concerned"),
    [
        ({}, True),
        ({"user_id": USER_ID}, True),
        ({"user_id": OTHER_USER_ID}, False),
        ({"permission": Permission.READ_TEAM}, True),
        ({"permission": Permission.MANAGE_LIMITS}, False),
        ({"user_id": USER_ID, "permission": Permission.MANAGE_LIMITS}, False),
        ({"user_id": OTHER_USER_ID, "permission": Permission.READ_TEAM}, False),
    ],
    ids=str,
)
async def test_one_hears_and_finds_what_concerns_one(
    database: InMemoryIdentity, fields: dict[str, object], concerned: bool
) -> None:
    listen = ListenToEvents(feed=InMemoryEventFeed(database))
    listener = await listen(ListenToEventsQuery(actor=READER))
    event = an_event(**fields)
    database.committed.events.append(event)

    heard = listener.of_concern(await listener.next())
    found = await ListEvents(reader=InMemoryEventReader(database))(ListEventsQuery(actor=READER))

    assert heard == found.items == ((event,) if concerned else ())


async def test_listening_begins_behind_a_known_event(database: InMemoryIdentity) -> None:
    database.committed.events += [an_event(), an_event()]
    first, second = database.committed.events
    listen = ListenToEvents(feed=InMemoryEventFeed(database))

    listener = await listen(ListenToEventsQuery(actor=READER, after=first.id))

    assert await listener.next() == (second,)


async def test_what_one_may_hear_follows_the_permissions(database: InMemoryIdentity) -> None:
    listen = ListenToEvents(feed=InMemoryEventFeed(database))
    listener = await listen(ListenToEventsQuery(actor=READER))
    events = (an_event(permission=Permission.MANAGE_LIMITS),)
    manager = an_actor(permissions=frozenset({Permission.READ_TEAM, Permission.MANAGE_LIMITS}))

    before = listener.of_concern(events)
    goes_on = listener.go_on_as(manager)

    assert (before, goes_on) == ((), True)
    assert listener.of_concern(events) == events


@pytest.mark.parametrize(
    "actor",
    [STRANGER, replace(READER, team_id=OTHER_TEAM_ID)],
    ids=["without the permission", "in another team"],
)
async def test_listening_ends_with_the_right_to_it(
    database: InMemoryIdentity, actor: Actor
) -> None:
    listener = await ListenToEvents(feed=InMemoryEventFeed(database))(
        ListenToEventsQuery(actor=READER)
    )

    assert not listener.go_on_as(actor)


async def test_who_closes_leaves_the_feed(database: InMemoryIdentity) -> None:
    feed = InMemoryEventFeed(database)
    listener = await ListenToEvents(feed=feed)(ListenToEventsQuery(actor=READER))

    listener.close()

    assert feed.open == 0


async def test_who_may_not_look_at_the_team_hears_and_finds_nothing(
    database: InMemoryIdentity,
) -> None:
    with pytest.raises(ForbiddenError):
        await ListenToEvents(feed=InMemoryEventFeed(database))(ListenToEventsQuery(actor=STRANGER))
    with pytest.raises(ForbiddenError):
        await ListEvents(reader=InMemoryEventReader(database))(ListEventsQuery(actor=STRANGER))


async def test_lists_have_limits(database: InMemoryIdentity) -> None:
    with pytest.raises(InvalidError):
        await ListEvents(reader=InMemoryEventReader(database))(
            ListEventsQuery(actor=READER, limit=201)
        )


def test_an_event_of_everybody_concerns_whoever_it_is() -> None:
    event: Event = an_event()

    assert event.concerns(None, ())
