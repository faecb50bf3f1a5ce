from dataclasses import dataclass

import structlog

from application.operations.events.ports import NotificationsUnitOfWork
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from application.shared.ports import Clock, IdGenerator
from domain.operations.event import Event
from domain.operations.notification import Notice, Notification, notice_of
from domain.shared.ids import EventId, NotificationId, UserId

log = structlog.get_logger()

AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyOfEvents:
    """Goes through what has happened since the last time, on whatever node that was, and notifies
    those whom it concerns; each of them once."""

    uow: NotificationsUnitOfWork
    clock: Clock
    ids: IdGenerator
    reporter: ErrorReporter

    async def __call__(self) -> None:
        while await self._go_on():
            pass

    async def _go_on(self) -> bool:
        async with self.uow as tx:
            events = await tx.outbox.take(AT_ONCE)
            for event in events:
                notice = self._notice_of(event)
                if notice is not None:
                    await self._notify(tx, event, notice)
            await tx.commit()
        return len(events) == AT_ONCE

    def _notice_of(self, event: Event) -> Notice | None:
        try:
            return notice_of(event)
        except (KeyError, TypeError, ValueError) as error:
            # One that cannot be understood must not keep all later ones from being told.
            log.exception("notification.impossible", event_type=event.type, event_id=str(event.id))
            self.reporter.report(error, Circumstances(route="notifications"))
            return None

    async def _notify(self, tx: NotificationsUnitOfWork, event: Event, notice: Notice) -> None:
        for user_id in sorted(await _readers(tx, event, notice)):
            notification = Notification(
                id=NotificationId(self.ids.new()),
                team_id=event.team_id,
                user_id=user_id,
                event_id=event.id,
                type=event.type,
                title=notice.title,
                data=event.data,
                created_at=self.clock.now(),
            )
            if await tx.notifications.add(notification):
                await tx.events.add(notification.announcement(EventId(self.ids.new())))


async def _readers(tx: NotificationsUnitOfWork, event: Event, notice: Notice) -> frozenset[UserId]:
    found: set[UserId | None] = set()
    if notice.permission is not None:
        found |= await tx.audience.with_permission(event.team_id, notice.permission)
    if notice.user_id is not None:
        found.add(await tx.audience.member(event.team_id, notice.user_id))
    if notice.key_id is not None:
        found.add(await tx.audience.holder_of(event.team_id, notice.key_id))
    return frozenset(user_id for user_id in found if user_id is not None)
