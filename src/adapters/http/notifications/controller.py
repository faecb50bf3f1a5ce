from dishka import FromDishka
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from adapters.http.notifications.schemas import NotificationPage
from adapters.http.parameters import IdParameter, PageParameter, PageSizeParameter, parse_id
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
from application.shared.pagination import PageRequest
from domain.operations.errors import NotificationNotFoundError
from domain.shared.ids import NotificationId


class NotificationsController(Controller):
    path = "/notifications"
    tags = ("operations",)

    @get(operation_id="list_notifications", summary="List your notifications")
    async def list_notifications(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListNotifications],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
        unread: FromQuery[bool] = False,
    ) -> NotificationPage:
        """Lists what the caller was notified of in the team, newest first; with `unread=true` only
        what is not read yet. An API key acts for its user."""
        wanted = PageRequest(page=page, page_size=page_size)
        query = ListNotificationsQuery(actor=actor, page=wanted, unread=unread)
        return NotificationPage.of(await use_case(query))

    @post(
        "/{notification_id:str}/read",
        operation_id="mark_notification_read",
        summary="Mark a notification as read",
        status_code=204,
    )
    async def mark_notification_read(
        self,
        notification_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[MarkNotificationRead],
    ) -> None:
        """Marks one of the caller's notifications as read; doing it again changes nothing."""
        wanted = NotificationId(parse_id(notification_id, NotificationNotFoundError))
        await use_case(MarkNotificationReadCommand(actor=actor, notification_id=wanted))

    @post(
        "/read_all",
        operation_id="mark_all_notifications_read",
        summary="Mark all your notifications as read",
        status_code=204,
    )
    async def mark_all_notifications_read(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[MarkAllNotificationsRead],
    ) -> None:
        """Marks all of the caller's notifications in the team as read."""
        await use_case(MarkAllNotificationsReadCommand(actor=actor))
