from dataclasses import dataclass

from application.operations.events.inbox import owner_of_inbox
from application.operations.events.ports import NotificationsUnitOfWork
from application.shared.actor import Actor
from application.shared.ports import Clock
from domain.shared.ids import NotificationId


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkNotificationReadCommand:
    actor: Actor
    notification_id: NotificationId


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkNotificationRead:
    """Marks one of the caller's notifications as read; one that is read stays as it is."""

    uow: NotificationsUnitOfWork
    clock: Clock

    async def __call__(self, command: MarkNotificationReadCommand) -> None:
        user_id = owner_of_inbox(command.actor)
        async with self.uow as tx:
            await tx.notifications.mark_read(
                command.actor.team_id, user_id, command.notification_id, self.clock.now()
            )
            await tx.commit()
