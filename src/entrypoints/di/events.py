from collections.abc import AsyncIterable
from typing import NewType

from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.operations.event_feed import PostgresEventFeed
from adapters.postgres.operations.event_reader import PostgresEventReader
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.operations.events.notify_of_events import NotifyOfEvents
from application.operations.events.ports import EventFeed, EventReader, NotificationsUnitOfWork
from application.operations.records.error_reporter import ErrorReporter
from application.shared.ports import Clock, IdGenerator
from entrypoints.chores import Bell
from entrypoints.database import DatabaseUrl

# Rings when there may be events that nobody has been notified of.
EventBell = NewType("EventBell", Bell)


class EventsProvider(Provider):
    """What happens, for those who listen, those who look back and those who are notified."""

    scope = Scope.APP

    reader = provide(PostgresEventReader, provides=EventReader)
    unit_of_work = provide(
        PostgresUnitOfWork, provides=NotificationsUnitOfWork, scope=Scope.REQUEST
    )

    @provide
    def bell(self) -> EventBell:
        return EventBell(Bell())

    @provide
    async def feed(
        self,
        sessions: async_sessionmaker[AsyncSession],
        url: DatabaseUrl,
        reporter: ErrorReporter,
        bell: EventBell,
    ) -> AsyncIterable[EventFeed]:
        feed = PostgresEventFeed(sessions, url, reporter=reporter, on_news=bell.ring)
        await feed.start()
        yield feed
        await feed.stop()

    @provide
    def notify_of_events(
        self,
        sessions: async_sessionmaker[AsyncSession],
        clock: Clock,
        ids: IdGenerator,
        reporter: ErrorReporter,
    ) -> NotifyOfEvents:
        """For one task alone, which has a unit of work of its own."""
        return NotifyOfEvents(
            uow=PostgresUnitOfWork(sessions), clock=clock, ids=ids, reporter=reporter
        )
