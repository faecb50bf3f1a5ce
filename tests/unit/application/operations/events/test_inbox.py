from datetime import timedelta

import pytest

from application.operations.events.list_notifications import (
    ListNotifications,
    ListNotificationsQuery,
)
from application.operations.events.mark_all_notifications_read import (
    MarkAllNotificationsRead,
    MarkAllNotificationsReadCommand,
)
from application.operations.events.mark_notification_read import (
    MarkNotificationRead,
    MarkNotificationReadCommand,
)
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.operations.errors import NotificationNotFoundError
from domain.shared.errors import ForbiddenError
from domain.shared.ids import UserId
from tests.builders import OTHER_TEAM_ID, an_actor
from tests.event_builders import a_notification
from tests.fakes.clock import START, FrozenClock
from tests.fakes.ids import uuid7_at
from tests.fakes.notifications import InMemoryNotificationsUnitOfWork

OTHER_USER_ID = UserId(uuid7_at(START, 30))


@pytest.fixture
def uow() -> InMemoryNotificationsUnitOfWork:
    """With an unread notification, one of somebody else, and one in another team."""
    uow = InMemoryNotificationsUnitOfWork()
    uow.state.stored = [
        a_notification(),
        a_notification(user_id=OTHER_USER_ID),
        a_notification(team_id=OTHER_TEAM_ID),
    ]
    return uow


async def test_users_see_what_they_were_told_in_the_team(
    uow: InMemoryNotificationsUnitOfWork,
) -> None:
    listed = await ListNotifications(uow=uow)(ListNotificationsQuery(actor=an_actor()))

    assert listed.page.items == (uow.state.stored[0],)
    assert listed.unread == 1


async def test_users_mark_their_own_as_read(uow: InMemoryNotificationsUnitOfWork) -> None:
    mark = MarkNotificationRead(uow=uow, clock=FrozenClock())
    own, foreign, _ = (notification.id for notification in uow.state.stored)

    await mark(MarkNotificationReadCommand(actor=an_actor(), notification_id=own))

    assert [n.read_at for n in uow.state.stored] == [START, None, None]
    with pytest.raises(NotificationNotFoundError):
        await mark(MarkNotificationReadCommand(actor=an_actor(), notification_id=foreign))


async def test_users_mark_all_of_their_own_as_read(uow: InMemoryNotificationsUnitOfWork) -> None:
    clock = FrozenClock(START + timedelta(hours=1))
    mark = MarkAllNotificationsRead(uow=uow, clock=clock)

    await mark(MarkAllNotificationsReadCommand(actor=an_actor()))

    assert [n.read_at for n in uow.state.stored] == [clock.now(), None, None]


@pytest.mark.parametrize(
    "actor",
    [
        an_actor(permissions=frozenset({Permission.INVOKE_MODELS})),
        an_actor(user_id=None),
    ],
    ids=["who may not look at the team", "who is no user"],
)
async def test_some_have_no_inbox(uow: InMemoryNotificationsUnitOfWork, actor: Actor) -> None:
    with pytest.raises(ForbiddenError):
        await ListNotifications(uow=uow)(ListNotificationsQuery(actor=actor))
