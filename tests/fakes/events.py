import asyncio
from copy import deepcopy
from uuid import UUID

from application.operations.events.ports import EventFeed, EventReader, EventSubscription
from application.shared.pagination import Slice
from domain.identity.permissions import Permission
from domain.operations.event import Event
from domain.shared.errors import InvalidError, UnavailableError
from domain.shared.ids import EventId, TeamId, UserId
from tests.fakes.identity_state import InMemoryIdentity

LOOK_EVERY_S = 0.002


class InMemoryEventFeed(EventFeed):
    """The committed events, whose list is in the order of the commits. While it is ``away``,
    nothing can be read."""

    def __init__(self, database: InMemoryIdentity) -> None:
        self.away = False
        self.open = 0
        self.database = database

    async def subscribe(
        self, team_id: TeamId, *, after: EventId | None = None
    ) -> EventSubscription:
        self.check()
        self.open += 1
        return _Subscription(self, team_id, self._place(team_id, after))

    def check(self) -> None:
        if self.away:
            raise UnavailableError("The database cannot be reached.", retry_after=1.0)

    def _place(self, team_id: TeamId, after: EventId | None) -> int:
        events = self.database.committed.events
        places = {e.id: place for place, e in enumerate(events) if e.team_id == team_id}
        if after is None:
            return len(events)
        if after in places:
            return places[after] + 1
        return min((place for known, place in places.items() if known > after), default=len(events))


class _Subscription(EventSubscription):
    def __init__(self, feed: InMemoryEventFeed, team_id: TeamId, place: int) -> None:
        self._feed = feed
        self._team_id = team_id
        self._place = place
        self._is_open = True

    async def next(self) -> tuple[Event, ...]:
        while True:
            self._feed.check()
            events = self._feed.database.committed.events
            found = tuple(e for e in events[self._place :] if e.team_id == self._team_id)
            self._place = len(events)
            if found:
                return deepcopy(found)
            await asyncio.sleep(LOOK_EVERY_S)

    def close(self) -> None:
        self._feed.open -= self._is_open
        self._is_open = False


class InMemoryEventReader(EventReader):
    def __init__(self, database: InMemoryIdentity) -> None:
        self._database = database

    async def list(
        self,
        team_id: TeamId,
        user_id: UserId | None,
        permissions: frozenset[Permission],
        *,
        cursor: str | None,
        limit: int,
    ) -> Slice[Event]:
        before = None if cursor is None else _id_in(cursor)
        mine = [
            event
            for event in sorted(self._database.committed.events, key=lambda e: e.id, reverse=True)
            if event.team_id == team_id
            and event.concerns(user_id, permissions)
            and (before is None or event.id < before)
        ]
        items = tuple(deepcopy(mine[:limit]))
        return Slice(items=items, next_cursor=str(items[-1].id) if len(mine) > limit else None)


def _id_in(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError:
        raise InvalidError("That is no cursor.", param="cursor") from None
