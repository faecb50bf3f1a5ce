from dataclasses import dataclass

from application.operations.events.ports import EventFeed, EventSubscription
from application.shared.actor import Actor
from domain.identity.permissions import Permission
from domain.operations.event import Event
from domain.shared.ids import EventId


class Listener:
    """What an actor hears of the events of the team."""

    def __init__(self, actor: Actor, subscription: EventSubscription) -> None:
        self._actor = actor
        self._subscription = subscription

    async def next(self) -> tuple[Event, ...]:
        """Wait for the next events, whomever they concern. Cancelling the wait loses nothing.
        Raises ``UnavailableError`` while what was missed cannot be read."""
        return await self._subscription.next()

    def of_concern(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """Those of the events that the actor may hear of."""
        user_id, permissions = self._actor.user_id, self._actor.permissions
        return tuple(event for event in events if event.concerns(user_id, permissions))

    def go_on_as(self, actor: Actor) -> bool:
        """Obey what the actor may hear by now. ``False`` says that this is none of the team's
        members any more, and that the listening has to end."""
        if actor.team_id != self._actor.team_id or not actor.may(Permission.READ_TEAM):
            return False
        self._actor = actor
        return True

    def close(self) -> None:
        self._subscription.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenToEventsQuery:
    actor: Actor
    after: EventId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenToEvents:
    """Listens to what happens in the team: what concerns everybody, the actor, or those with a
    permission that the actor has. It begins behind a known event, else now."""

    feed: EventFeed

    async def __call__(self, query: ListenToEventsQuery) -> Listener:
        actor = query.actor
        actor.require(Permission.READ_TEAM)
        return Listener(actor, await self.feed.subscribe(actor.team_id, after=query.after))
