from dataclasses import dataclass

from application.operations.events.inbox import owner_of_inbox
from application.operations.events.ports import NotificationsUnitOfWork
from application.shared.actor import Actor
from application.shared.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkAllNotificationsReadCommand:
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkAllNotificationsRead:
    """Marks all of the caller's notifications in the team as read."""

    uow: NotificationsUnitOfWork
    clock: Clock

    async def __call__(self, command: MarkAllNotificationsReadCommand) -> None:
        user_id = owner_of_inbox(command.actor)
        async with self.uow as tx:
            await tx.notifications.mark_all_read(command.actor.team_id, user_id, self.clock.now())
            await tx.commit()
