from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.operations.event_feed import PostgresEventFeed
from adapters.postgres.operations.event_reader import PostgresEventReader
from application.events.ports import EventFeed, EventReader
from entrypoints.database import DatabaseUrl


class EventsProvider(Provider):
    """What happens, for those who listen and for those who look back."""

    scope = Scope.APP

    reader = provide(PostgresEventReader, provides=EventReader)

    @provide
    async def feed(
        self, sessions: async_sessionmaker[AsyncSession], url: DatabaseUrl
    ) -> AsyncIterable[EventFeed]:
        feed = PostgresEventFeed(sessions, url)
        await feed.start()
        yield feed
        await feed.stop()
