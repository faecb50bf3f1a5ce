from typing import Protocol

from application.shared.pagination import Slice
from domain.identity.permissions import Permission
from domain.operations.event import Event
from domain.shared.ids import EventId, TeamId, UserId


class EventSubscription(Protocol):
    """One listener's place among the events of a team."""

    async def next(self) -> tuple[Event, ...]:
        """Wait for the events that follow those of the last call, and return them in the order in
        which they were committed: none is left out and none comes twice. Cancelling the wait loses
        nothing. Raises ``UnavailableError`` while what was missed cannot be read."""
        ...

    def close(self) -> None:
        """Stop listening; idempotent."""
        ...


class EventFeed(Protocol):
    """The events of all teams, also those that happen on other nodes."""

    async def subscribe(
        self, team_id: TeamId, *, after: EventId | None = None
    ) -> EventSubscription:
        """Listen to a team from now on, or from behind the event ``after``. Where that is not kept
        any more, the events begin with the oldest that was made after it.

        Raises ``UnavailableError`` while the database is away."""
        ...


class EventReader(Protocol):
    """The events that have happened, for those who look back."""

    async def list(
        self,
        team_id: TeamId,
        user_id: UserId | None,
        permissions: frozenset[Permission],
        *,
        cursor: str | None,
        limit: int,
    ) -> Slice[Event]:
        """What concerns the user with these permissions, newest first. Raises ``InvalidError`` for
        a cursor that is none."""
        ...
