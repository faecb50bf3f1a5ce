from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from application.identity.ports import IdentityUnitOfWork
from application.shared.correlation import Origin, correlation_id, origin
from application.shared.ports import Clock, IdGenerator
from domain.operations.audit import ActorKind, AuditEntry
from domain.shared.ids import AuditId, TeamId, UserId

CAPACITY = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    id: AuditId
    user_id: UserId
    at: datetime
    correlation_id: str
    came_from: Origin

    def entry(self, team_id: TeamId) -> AuditEntry:
        return AuditEntry(
            id=self.id,
            team_id=team_id,
            at=self.at,
            # Whoever it was is not known.
            actor_kind=ActorKind.SYSTEM,
            user_id=None,
            key_id=None,
            action="user.login_failed",
            target_type="user",
            target_id=str(self.user_id),
            before=None,
            after=None,
            correlation_id=self.correlation_id,
            address=self.came_from.address,
            user_agent=self.came_from.user_agent,
        )


@dataclass(slots=True, kw_only=True)
class LoginFailures:
    """Keeps failed log-ins of users until they are written to the audit trail. To write them at
    once would take time, and that would tell who is a user. Beyond ``CAPACITY`` the oldest give
    way."""

    new_uow: Callable[[], IdentityUnitOfWork]
    clock: Clock
    ids: IdGenerator
    _kept: deque[_Failure] = field(default_factory=lambda: deque(maxlen=CAPACITY))

    def note(self, user_id: UserId) -> None:
        """Keep that somebody failed to log in as that user, just now."""
        self._kept.append(
            _Failure(
                id=AuditId(self.ids.new()),
                user_id=user_id,
                at=self.clock.now(),
                correlation_id=correlation_id.get(),
                came_from=origin.get(),
            )
        )

    async def flush(self) -> None:
        """Write what was kept, each to the trail of the user's oldest team."""
        if not self._kept:
            return
        kept, self._kept = self._kept, deque(maxlen=CAPACITY)
        try:
            async with self.new_uow() as tx:
                for failure in kept:
                    memberships = await tx.memberships.of_user(failure.user_id)
                    if memberships:
                        await tx.audit.add(failure.entry(memberships[0].team_id))
                await tx.commit()
        except BaseException:
            self._kept.extendleft(reversed(kept))
            raise
