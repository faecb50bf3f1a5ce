import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.errors import translated
from adapters.postgres.held_connection import HeldConnection
from adapters.postgres.operations.event_log import CHANNEL
from adapters.postgres.operations.event_order import KNOWN, event_of, number_events
from adapters.postgres.operations.rows import events
from adapters.postgres.operations.team_events import REMEMBERED, PlacedEvent, TeamEvents
from application.operations.events.ports import EventFeed, EventSubscription
from application.operations.records.error_reporter import Circumstances, ErrorReporter
from domain.operations.event import Event
from domain.shared.errors import UnavailableError
from domain.shared.ids import EventId, TeamId

log = structlog.get_logger()

# A look without having heard of anything, for what somebody wrote without a word.
LOOK_EVERY_S = 5.0
RETRY_S = 0.2
AT_ONCE = 200

# Where its errors happen, on record.
ROUTE = "event feed"


class PostgresEventFeed(EventFeed):
    """Hears of events by one connection for the whole process, and reads each event once for all
    who listen to its team. While nobody listens, it only gives the events their numbers."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        database_url: str,
        *,
        look_every_s: float = LOOK_EVERY_S,
        remembered: int = REMEMBERED,
        reporter: ErrorReporter | None = None,
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        """``reporter`` gets what keeps events from being read. ``remembered`` bounds the latest
        events that are kept of each team with listeners. ``on_news`` is called when all events that
        were heard of have their numbers, and whenever some may have been missed."""
        self._sessions = sessions
        self._reporter = reporter
        self._on_news = on_news
        self._look_every_s = look_every_s
        self._remembered = remembered
        self._teams: dict[TeamId, TeamEvents] = {}
        self._heard = asyncio.Event()
        # Those of whom there is something to read; all of them where that is not known.
        self._stale: set[TeamId] = set()
        self._all_are_stale = True
        self._reading: asyncio.Task[None] | None = None
        self._session = HeldConnection(
            database_url,
            purpose="events",
            on_connected=self._listen,
            on_lost=self._suspect_all,
            # A connection that is lost in silence tells as little in that time as no connection.
            heartbeat_s=look_every_s,
        )

    async def start(self) -> None:
        await self._session.start()
        self._reading = asyncio.create_task(self._read_for_ever())

    async def stop(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.wait([reading])
        await self._session.stop()

    async def subscribe(
        self, team_id: TeamId, *, after: EventId | None = None
    ) -> EventSubscription:
        team = self._teams.setdefault(team_id, TeamEvents(team_id, self._remembered))
        team.listeners += 1
        try:
            async with team.opening:
                if team.position is None:
                    team.begin_at(await self._newest(team_id))
            position = team.position if after is None else await self._position_of(team_id, after)
        except BaseException:
            self.leave(team)
            raise
        return _Subscription(self, team, position or 0)

    async def read_after(self, team_id: TeamId, position: int) -> list[PlacedEvent]:
        """The team's next events behind a position, from the database."""
        return await self._read(
            select(events)
            .where(events.c.team_id == team_id, events.c.position > position, KNOWN)
            .order_by(events.c.position)
            .limit(AT_ONCE)
        )

    def leave(self, team: TeamEvents) -> None:
        """One listener less."""
        team.listeners -= 1
        if team.listeners == 0 and self._teams.get(team.team_id) is team:
            del self._teams[team.team_id]

    async def _newest(self, team_id: TeamId) -> int:
        with translated():
            async with self._sessions() as session:
                await number_events(session)
                newest = select(func.max(events.c.position)).where(events.c.team_id == team_id)
                return await session.scalar(newest) or 0

    async def _position_of(self, team_id: TeamId, event_id: EventId) -> int:
        of_team = events.c.team_id == team_id
        exact = select(events.c.position).where(of_team, events.c.id == event_id)
        later = select(func.min(events.c.position) - 1).where(of_team, events.c.id > event_id)
        with translated():
            async with self._sessions() as session:
                await number_events(session)
                found = await session.scalar(exact)
                if found is None:
                    found = await session.scalar(later)
        return await self._newest(team_id) if found is None else int(found)

    async def _read(self, query: Any) -> list[PlacedEvent]:
        with translated():
            async with self._sessions() as session:
                rows = (await session.execute(query)).mappings().all()
        return [PlacedEvent(row["position"], event_of(row)) for row in rows]

    async def _read_for_ever(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._heard.wait(), self._look_every_s)
            except TimeoutError:
                self._all_are_stale = True
            is_told = self._heard.is_set()
            self._heard.clear()
            try:
                await self._catch_up(is_told=is_told)
            except UnavailableError as error:
                log.warning("events.postponed", reason=error.message)
                await self._try_again()
            except Exception as error:
                # Nothing is lost by it: the next round reads from the same place.
                log.exception("events.not_read")
                if self._reporter is not None:
                    self._reporter.report(error, Circumstances(route=ROUTE))
                await self._try_again()

    async def _try_again(self) -> None:
        await asyncio.sleep(RETRY_S)
        self._suspect_all()

    async def _catch_up(self, *, is_told: bool) -> None:
        stale, self._stale = self._stale, set()
        everybody, self._all_are_stale = self._all_are_stale, False
        with translated():
            async with self._sessions() as session:
                is_new = await number_events(session)
        if is_told or is_new:
            self._on_news()
        for team in list(self._teams.values()):
            if everybody or team.team_id in stale:
                await self._read_on(team)

    async def _read_on(self, team: TeamEvents) -> None:
        while team.position is not None:
            found = await self.read_after(team.team_id, team.position)
            team.add(found)
            if len(found) < AT_ONCE:
                return

    async def _listen(self, connection: asyncpg.Connection) -> None:
        await connection.add_listener(CHANNEL, self._on_event)
        # What happened while nobody heard it.
        self._suspect_all()

    def _on_event(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._stale.add(TeamId(UUID(str(payload))))
        self._heard.set()

    def _suspect_all(self) -> None:
        self._all_are_stale = True
        self._heard.set()


class _Subscription(EventSubscription):
    def __init__(self, feed: PostgresEventFeed, team: TeamEvents, position: int) -> None:
        self._feed = feed
        self._team = team
        self._position = position
        self._is_open = True

    async def next(self) -> tuple[Event, ...]:
        while True:
            # Taken before the look, so that nothing comes unnoticed between that and the wait.
            change = self._team.change
            found = self._team.after(self._position)
            if found is None:
                found = await self._feed.read_after(self._team.team_id, self._position)
            if found:
                self._position = found[-1].position
                return tuple(placed.event for placed in found)
            await change.wait()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._feed.leave(self._team)
