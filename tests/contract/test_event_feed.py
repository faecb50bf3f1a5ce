"""What every feed of events has to keep."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from adapters.postgres.engine import make_sessions
from adapters.postgres.operations.event_feed import PostgresEventFeed
from application.operations.events.ports import EventFeed, EventSubscription
from domain.operations.event import Event
from domain.shared.ids import EventId
from tests.builders import OTHER_TEAM_ID, TEAM_ID
from tests.event_builders import an_event
from tests.fakes.clock import START
from tests.fakes.events import InMemoryEventFeed
from tests.fakes.ids import uuid7_at
from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.stores import IdentityStore, MemoryIdentityStore, PostgresIdentityStore

pytestmark = pytest.mark.usefixtures("uow")

SILENCE_S = 0.1
Happen = Callable[..., Awaitable[None]]


@pytest.fixture
async def feed(identity: IdentityStore) -> AsyncIterator[EventFeed]:
    """Of a database with two teams."""
    if isinstance(identity, MemoryIdentityStore):
        yield InMemoryEventFeed(identity.database)
        return
    assert isinstance(identity, PostgresIdentityStore)
    postgres = PostgresEventFeed(make_sessions(identity.engine), identity.url)
    await postgres.start()
    yield postgres
    await postgres.stop()


@pytest.fixture
def happen(identity: IdentityStore) -> Happen:
    async def commit(*events: Event) -> None:
        async with identity.unit_of_work() as tx:
            for event in events:
                await tx.events.add(event)
            await tx.commit()

    return commit


async def hear(subscription: EventSubscription, count: int) -> list[Event]:
    heard: list[Event] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(heard) < count:
            heard += await subscription.next()
    return heard


async def is_silent(subscription: EventSubscription) -> bool:
    try:
        async with asyncio.timeout(SILENCE_S):
            await subscription.next()
    except TimeoutError:
        return True
    return False


async def test_an_event_is_heard_as_it_was_written(feed: EventFeed, happen: Happen) -> None:
    listener = await feed.subscribe(TEAM_ID)
    event = an_event(data={"list": [1, None, "ä"], "nested": {"a": 1.5}})

    await happen(event)

    assert await hear(listener, 1) == [event]


async def test_nothing_is_heard_before_it_is_committed(
    feed: EventFeed, identity: IdentityStore
) -> None:
    listener = await feed.subscribe(TEAM_ID)

    async with identity.unit_of_work() as tx:
        await tx.events.add(an_event())
        silent_meanwhile = await is_silent(listener)

    assert silent_meanwhile
    assert await is_silent(listener)


async def test_another_team_is_not_heard(feed: EventFeed, happen: Happen) -> None:
    listener = await feed.subscribe(TEAM_ID)

    await happen(an_event(team_id=OTHER_TEAM_ID))

    assert await is_silent(listener)


async def test_what_was_before_is_not_heard(feed: EventFeed, happen: Happen) -> None:
    await happen(an_event())
    listener = await feed.subscribe(TEAM_ID)
    event = an_event()

    await happen(event)

    assert await hear(listener, 1) == [event]


async def test_every_listener_hears_every_event(feed: EventFeed, happen: Happen) -> None:
    listeners = [await feed.subscribe(TEAM_ID) for _ in range(3)]
    events = [an_event() for _ in range(4)]

    await happen(*events)

    assert [await hear(listener, 4) for listener in listeners] == [events] * 3


async def test_listening_goes_on_behind_a_known_event(feed: EventFeed, happen: Happen) -> None:
    events = [an_event() for _ in range(4)]
    await happen(*events, an_event(team_id=OTHER_TEAM_ID))

    listener = await feed.subscribe(TEAM_ID, after=events[1].id)

    assert await hear(listener, 2) == events[2:]
    assert await is_silent(listener)


async def test_what_was_missed_meets_what_happens_without_gap_or_double(
    feed: EventFeed, happen: Happen
) -> None:
    events = [an_event() for _ in range(60)]
    await happen(events[0])

    async def go_on() -> None:
        for event in events[1:]:
            await happen(event)
            await asyncio.sleep(0.001)

    going_on = asyncio.create_task(go_on())
    heard: list[Event] = [events[0]]
    while len(heard) < len(events):
        # Time and again somebody comes back, in the middle of what happens.
        listener = await feed.subscribe(TEAM_ID, after=heard[-1].id)
        heard += await hear(listener, min(7, len(events) - len(heard)))
        listener.close()
    await going_on

    assert heard == events


async def test_an_event_that_is_not_kept_is_followed_by_all_that_was_made_later(
    feed: EventFeed, happen: Happen
) -> None:
    gone = EventId(uuid7_at(START, 500))
    older, newer = an_event(id=EventId(uuid7_at(START, 400))), an_event()
    await happen(older, newer)

    listener = await feed.subscribe(TEAM_ID, after=gone)

    assert await hear(listener, 1) == [newer]
    assert await is_silent(listener)


async def test_the_id_of_another_teams_event_shows_nothing_of_it(
    feed: EventFeed, happen: Happen
) -> None:
    foreign, own = an_event(team_id=OTHER_TEAM_ID), an_event()
    await happen(foreign, own)

    listener = await feed.subscribe(TEAM_ID, after=foreign.id)

    assert await hear(listener, 1) == [own]


async def test_an_event_with_an_earlier_id_that_is_committed_later_comes_later_and_once(
    feed: EventFeed, identity: IdentityStore, happen: Happen
) -> None:
    listener = await feed.subscribe(TEAM_ID)
    early, late = an_event(), an_event()
    assert early.id < late.id

    async with identity.unit_of_work() as tx:
        await tx.events.add(early)
        await happen(late)
        first = await hear(listener, 1)
        await tx.commit()
    second = await hear(listener, 1)

    assert [*first, *second] == [late, early]
    behind_late = await feed.subscribe(TEAM_ID, after=late.id)
    assert await hear(behind_late, 1) == [early]
    behind_early = await feed.subscribe(TEAM_ID, after=early.id)
    assert await is_silent(behind_early)


async def test_a_wait_that_is_cancelled_loses_nothing(feed: EventFeed, happen: Happen) -> None:
    listener = await feed.subscribe(TEAM_ID)
    events = [an_event() for _ in range(3)]
    assert await is_silent(listener)

    await happen(*events)

    assert await hear(listener, 3) == events


async def test_a_listener_may_close_twice_and_others_go_on(feed: EventFeed, happen: Happen) -> None:
    leaving, staying = await feed.subscribe(TEAM_ID), await feed.subscribe(TEAM_ID)
    leaving.close()
    leaving.close()
    event = an_event()

    await happen(event)

    assert await hear(staying, 1) == [event]
