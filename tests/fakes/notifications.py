from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from application.operations.events.ports import (
    Audience,
    EventOutbox,
    Listed,
    Notifications,
    NotificationsUnitOfWork,
)
from application.shared.pagination import Page, PageRequest
from domain.identity.permissions import Permission, permissions_of
from domain.operations.errors import NotificationNotFoundError
from domain.operations.event import Event
from domain.operations.notification import Notification
from domain.shared.ids import KeyId, NotificationId, TeamId, UserId
from tests.fakes.identity import InMemoryIdentityUnitOfWork
from tests.fakes.identity_state import IdentityState, InMemoryIdentity


@dataclass(slots=True)
class NotificationsState:
    """``taken`` is how many of the committed events were taken; one unit of work at a time takes
    some."""

    stored: list[Notification] = field(default_factory=list)
    taken: int = 0
    taker: object = None


class InMemoryEventOutbox(EventOutbox):
    def __init__(self, uow: "InMemoryNotificationsUnitOfWork") -> None:
        self._uow = uow

    async def take(self, limit: int) -> tuple[Event, ...]:
        state = self._uow.state
        if state.taker not in {None, self._uow}:
            return ()
        state.taker = self._uow
        draft = self._uow.draft
        found = self._uow.committed.events[draft.taken : draft.taken + limit]
        draft.taken += len(found)
        return tuple(deepcopy(found))


class InMemoryNotifications(Notifications):
    def __init__(self, stored: list[Notification]) -> None:
        self._stored = stored

    async def add(self, notification: Notification) -> bool:
        told = {(n.team_id, n.user_id, n.event_id) for n in self._stored}
        if (notification.team_id, notification.user_id, notification.event_id) in told:
            return False
        self._stored.append(deepcopy(notification))
        return True

    async def list(
        self, team_id: TeamId, user_id: UserId, page: PageRequest, *, unread: bool
    ) -> Listed:
        inbox = sorted(self._inbox(team_id, user_id), key=lambda n: n.id, reverse=True)
        not_read = [n for n in inbox if n.read_at is None]
        shown = not_read if unread else inbox
        items = tuple(deepcopy(shown[page.offset : page.offset + page.page_size]))
        return Listed(
            page=Page(items=items, total=len(shown), page=page.page, page_size=page.page_size),
            unread=len(not_read),
        )

    async def mark_read(
        self, team_id: TeamId, user_id: UserId, notification_id: NotificationId, at: datetime
    ) -> None:
        inbox = self._inbox(team_id, user_id)
        found = next((n for n in inbox if n.id == notification_id), None)
        if found is None:
            raise NotificationNotFoundError
        found.read_at = found.read_at or at

    async def mark_all_read(self, team_id: TeamId, user_id: UserId, at: datetime) -> None:
        for notification in self._inbox(team_id, user_id):
            notification.read_at = notification.read_at or at

    def _inbox(self, team_id: TeamId, user_id: UserId) -> Sequence[Notification]:
        return [n for n in self._stored if (n.team_id, n.user_id) == (team_id, user_id)]


class InMemoryAudience(Audience):
    def __init__(self, state: IdentityState) -> None:
        self._state = state

    async def with_permission(self, team_id: TeamId, permission: Permission) -> frozenset[UserId]:
        of_team = [m for m in self._state.memberships.values() if m.team_id == team_id]
        users = {m.user_id: self._state.users[m.user_id] for m in of_team}
        return frozenset(
            m.user_id
            for m in of_team
            if users[m.user_id].is_active
            and permission in permissions_of(m.role, is_operator=users[m.user_id].is_operator)
        )

    async def member(self, team_id: TeamId, user_id: UserId) -> UserId | None:
        is_member = (team_id, user_id) in self._state.memberships
        return user_id if is_member and self._state.users[user_id].is_active else None

    async def holder_of(self, team_id: TeamId, key_id: KeyId) -> UserId | None:
        key = self._state.keys.get(key_id)
        if key is None or key.team_id != team_id or key.user_id is None:
            return None
        return await self.member(team_id, key.user_id)


class InMemoryNotificationsUnitOfWork(InMemoryIdentityUnitOfWork, NotificationsUnitOfWork):
    """Several of them share a ``database`` and a ``state``."""

    def __init__(
        self,
        database: InMemoryIdentity | None = None,
        state: NotificationsState | None = None,
    ) -> None:
        super().__init__(database)
        self.state = state or NotificationsState()
        self.draft = NotificationsState()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._begin()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.state.taker is self:
            self.state.taker = None
        await super().__aexit__(exc_type, exc, traceback)

    async def commit(self) -> None:
        await super().commit()
        self.state.stored, self.state.taken = self.draft.stored, self.draft.taken
        self._begin()

    @property
    def outbox(self) -> InMemoryEventOutbox:
        return InMemoryEventOutbox(self)

    @property
    def notifications(self) -> InMemoryNotifications:
        return InMemoryNotifications(self.draft.stored)

    @property
    def audience(self) -> InMemoryAudience:
        return InMemoryAudience(self.database.committed)

    def _begin(self) -> None:
        self.draft = NotificationsState(stored=deepcopy(self.state.stored), taken=self.state.taken)
