"""What every store of notifications, and every queue of events before it, has to keep."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from adapters.postgres.engine import make_sessions
from adapters.postgres.operations.event_feed import PostgresEventFeed
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.operations.events.ports import Listed, NotificationsUnitOfWork
from application.shared.pagination import PageRequest
from domain.identity.permissions import Permission, Role
from domain.operations.errors import NotificationNotFoundError
from domain.operations.event import Event
from domain.operations.notification import Notification
from domain.shared.ids import KeyId, NotificationId, UserId
from tests.builders import OTHER_TEAM_ID, TEAM_ID, USER_ID, a_key, a_membership, a_user
from tests.event_builders import a_notification, an_event
from tests.fakes.clock import START
from tests.fakes.ids import uuid7_at
from tests.fakes.notifications import InMemoryNotificationsUnitOfWork, NotificationsState
from tests.fixtures.stores import IdentityStore, MemoryIdentityStore, PostgresIdentityStore

pytestmark = pytest.mark.usefixtures("uow")

LATER = START + timedelta(hours=1)
SECOND_ID = UserId(uuid7_at(START, 20))
Open = Callable[[], NotificationsUnitOfWork]


@pytest.fixture
async def begin(identity: IdentityStore) -> AsyncIterator[Open]:
    """Opens units of work, each as good as another node."""
    if isinstance(identity, MemoryIdentityStore):
        state, database = NotificationsState(), identity.database
        yield lambda: InMemoryNotificationsUnitOfWork(database, state)
        return
    assert isinstance(identity, PostgresIdentityStore)
    sessions = make_sessions(identity.engine)
    # It gives the events their places in the queue.
    feed = PostgresEventFeed(sessions, identity.url)
    await feed.start()
    yield lambda: PostgresUnitOfWork(sessions)
    await feed.stop()


async def store(begin: Open, *notifications: Notification) -> list[bool]:
    async with begin() as tx:
        added = [await tx.notifications.add(notification) for notification in notifications]
        await tx.commit()
    return added


async def inbox(begin: Open, *, unread: bool = False, page: PageRequest | None = None) -> Listed:
    async with begin() as tx:
        return await tx.notifications.list(TEAM_ID, USER_ID, page or PageRequest(), unread=unread)


async def happen(begin: Open, *events: Event) -> None:
    async with begin() as tx:
        for event in events:
            await tx.events.add(event)
        await tx.commit()


async def take_all(begin: Open) -> list[Event]:
    """Take until all that have happened are numbered and taken."""
    taken: list[Event] = []
    for _ in range(50):
        async with begin() as tx:
            found = await tx.outbox.take(3)
            await tx.commit()
        taken += found
        if not found:
            await asyncio.sleep(0.01)
    return taken


async def test_notifications_are_listed_as_they_were_added_newest_first(begin: Open) -> None:
    notifications = [a_notification(data={"a": [1, "ä", None]}), a_notification(read_at=LATER)]

    await store(begin, *notifications)

    listed = await inbox(begin)
    assert listed.page.items == tuple(reversed(notifications))
    assert (listed.page.total, listed.unread) == (2, 1)


async def test_a_user_is_told_of_an_event_once(begin: Open) -> None:
    first = a_notification()
    again = a_notification(event_id=first.event_id)

    added = [*await store(begin, first), *await store(begin, again)]

    assert added == [True, False]
    assert (await inbox(begin)).page.items == (first,)


async def test_nobody_sees_what_others_are_told_or_what_was_told_in_another_team(
    begin: Open, identity: IdentityStore
) -> None:
    async with identity.unit_of_work() as tx:
        await tx.users.add(a_user(id=SECOND_ID, email="b@example.com"))
        await tx.memberships.add(a_membership(user_id=SECOND_ID, role=Role.MEMBER))
        await tx.commit()

    await store(begin, a_notification(user_id=SECOND_ID), a_notification(team_id=OTHER_TEAM_ID))

    assert (await inbox(begin)) == Listed(page=(await inbox(begin, unread=True)).page, unread=0)


async def test_pages_and_the_unread_ones_alone(begin: Open) -> None:
    read = [a_notification(read_at=LATER) for _ in range(2)]
    unread = [a_notification() for _ in range(3)]
    await store(begin, *read, *unread)

    page = await inbox(begin, unread=True, page=PageRequest(page=2, page_size=2))

    assert page.page.items == (unread[0],)
    assert (page.page.total, page.page.total_pages, page.unread) == (3, 2, 3)
    assert (await inbox(begin)).page.total == 5


async def test_marking_one_as_read_keeps_the_first_time(begin: Open) -> None:
    one, other = a_notification(), a_notification()
    await store(begin, one, other)

    for at in (LATER, LATER + timedelta(hours=1)):
        async with begin() as tx:
            await tx.notifications.mark_read(TEAM_ID, USER_ID, one.id, at)
            await tx.commit()

    listed = await inbox(begin)
    assert [n.read_at for n in listed.page.items] == [None, LATER]
    assert listed.unread == 1


@pytest.mark.parametrize("whose", ["nobody's", "another user's", "another team's"])
async def test_what_is_not_in_the_inbox_cannot_be_marked(begin: Open, whose: str) -> None:
    stored = a_notification()
    await store(begin, stored)
    team_id = OTHER_TEAM_ID if whose == "another team's" else TEAM_ID
    user_id = SECOND_ID if whose == "another user's" else USER_ID
    wanted = NotificationId(uuid7_at(START, 9)) if whose == "nobody's" else stored.id

    async with begin() as tx:
        with pytest.raises(NotificationNotFoundError):
            await tx.notifications.mark_read(team_id, user_id, wanted, LATER)

    assert (await inbox(begin)).unread == 1


async def test_marking_all_as_read_keeps_those_that_are(begin: Open) -> None:
    await store(begin, a_notification(read_at=START), a_notification(), a_notification())

    async with begin() as tx:
        await tx.notifications.mark_all_read(TEAM_ID, USER_ID, LATER)
        await tx.commit()

    listed = await inbox(begin)
    assert [n.read_at for n in listed.page.items] == [LATER, LATER, START]
    assert listed.unread == 0


async def test_events_of_all_teams_are_taken_once_and_in_order(begin: Open) -> None:
    events = [an_event(team_id=team) for team in (TEAM_ID, OTHER_TEAM_ID) * 4]
    await happen(begin, *events)

    assert await take_all(begin) == events


async def test_what_was_taken_comes_back_without_a_commit(begin: Open) -> None:
    event = an_event()
    await happen(begin, event)
    for _ in range(50):
        async with begin() as tx:
            dropped = await tx.outbox.take(3)
        if dropped:
            break
        await asyncio.sleep(0.01)

    assert dropped == (event,)
    assert await take_all(begin) == [event]


async def test_one_node_at_a_time_takes_events(begin: Open) -> None:
    events = [an_event() for _ in range(5)]
    await happen(begin, *events)
    await asyncio.sleep(0.1)

    async with begin() as one, begin() as other:
        first = await one.outbox.take(2)
        meanwhile = await other.outbox.take(2)
        await one.commit()
    rest = await take_all(begin)

    assert [*first, *rest] == events
    assert meanwhile == ()


async def test_the_audience_is_made_of_active_members(begin: Open, identity: IdentityStore) -> None:
    ids = {name: UserId(uuid7_at(START, 30 + n)) for n, name in enumerate(("ann", "bob", "eve"))}
    key = a_key(user_id=ids["bob"])
    async with identity.unit_of_work() as tx:
        await tx.users.add(a_user(id=ids["ann"], email="a@example.com", is_operator=True))
        await tx.users.add(a_user(id=ids["bob"], email="b@example.com"))
        await tx.users.add(a_user(id=ids["eve"], email="e@example.com", is_active=False))
        await tx.memberships.add(a_membership(user_id=ids["ann"], role=Role.VIEWER))
        await tx.memberships.add(a_membership(user_id=ids["bob"], role=Role.ADMIN))
        await tx.memberships.add(a_membership(user_id=ids["eve"], role=Role.OWNER))
        await tx.api_keys.add(key)
        await tx.commit()

    async with begin() as tx:
        audience = tx.audience
        managers = await audience.with_permission(TEAM_ID, Permission.MANAGE_LIMITS)
        operators = await audience.with_permission(TEAM_ID, Permission.MANAGE_ERRORS)
        elsewhere = await audience.with_permission(OTHER_TEAM_ID, Permission.MANAGE_ERRORS)
        members = [await audience.member(TEAM_ID, user_id) for user_id in ids.values()]
        strangers = [await audience.member(OTHER_TEAM_ID, ids["bob"])]
        holders = [
            await audience.holder_of(TEAM_ID, key.id),
            await audience.holder_of(OTHER_TEAM_ID, key.id),
            await audience.holder_of(TEAM_ID, KeyId(uuid7_at(START, 77))),
        ]

    assert managers == {USER_ID, ids["bob"]}
    assert operators == {ids["ann"]}
    assert elsewhere == frozenset()
    assert members == [ids["ann"], ids["bob"], None]
    assert strangers == [None]
    assert holders == [ids["bob"], None, None]
