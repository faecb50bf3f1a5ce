from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.shared.pagination import Page, PageRequest, Slice
from application.shared.ports import UnitOfWork
from domain.identity.permissions import Permission
from domain.operations.event import Event
from domain.operations.notification import Notification
from domain.shared.ids import EventId, KeyId, NotificationId, TeamId, UserId


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


class EventOutbox(Protocol):
    """The events of all teams as a queue, inside a unit of work."""

    async def take(self, limit: int) -> tuple[Event, ...]:
        """The next events in the order in which they were committed. They are taken when the unit
        of work commits, once on all nodes together; while another node takes some, there are none
        here."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of notifications, with the number of all that are not read yet."""

    page: Page[Notification]
    unread: int


class Notifications(Protocol):
    """What the members of teams are told, inside a unit of work."""

    async def add(self, notification: Notification) -> bool:
        """``False`` if the user has been told of the event already."""
        ...

    async def list(
        self, team_id: TeamId, user_id: UserId, page: PageRequest, *, unread: bool
    ) -> Listed:
        """The user's in that team, newest first; with ``unread`` those alone that are not read."""
        ...

    async def mark_read(
        self, team_id: TeamId, user_id: UserId, notification_id: NotificationId, at: datetime
    ) -> None:
        """A notification that is read stays as it is. Raises ``NotificationNotFoundError``, also
        for another user's."""
        ...

    async def mark_all_read(self, team_id: TeamId, user_id: UserId, at: datetime) -> None: ...


class Audience(Protocol):
    """Those in a team who can be told something: its active members, inside a unit of work. They
    stay members until it ends."""

    async def with_permission(self, team_id: TeamId, permission: Permission) -> frozenset[UserId]:
        """Everybody whose role, or being an operator, gives the permission."""
        ...

    async def member(self, team_id: TeamId, user_id: UserId) -> UserId | None:
        """The user, if that is a member."""
        ...

    async def holder_of(self, team_id: TeamId, key_id: KeyId) -> UserId | None:
        """The member whose key that is."""
        ...


class NotificationsUnitOfWork(UnitOfWork, Protocol):
    @property
    def outbox(self) -> EventOutbox: ...

    @property
    def notifications(self) -> Notifications: ...

    @property
    def audience(self) -> Audience: ...
