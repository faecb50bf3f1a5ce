from dataclasses import dataclass, field

from application.operations.events.inbox import owner_of_inbox
from application.operations.events.ports import Listed, NotificationsUnitOfWork
from application.shared.actor import Actor
from application.shared.pagination import PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNotificationsQuery:
    actor: Actor
    page: PageRequest = field(default_factory=PageRequest)
    unread: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNotifications:
    """Lists what the caller was notified of in the team, newest first, with the number of those
    that are not read yet. An API key acts for its user."""

    uow: NotificationsUnitOfWork

    async def __call__(self, query: ListNotificationsQuery) -> Listed:
        user_id = owner_of_inbox(query.actor)
        async with self.uow as tx:
            return await tx.notifications.list(
                query.actor.team_id, user_id, query.page, unread=query.unread
            )
