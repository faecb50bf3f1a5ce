from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.identity.sessions.person import session_of
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeAllSessionsCommand:
    actor: Actor
    keep_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeAllSessions:
    """Ends all of the person's sessions, or all but the one that asks; every node refuses them at
    once."""

    uow: IdentityUnitOfWork
    clock: Clock
    auditor: Auditor

    async def __call__(self, command: RevokeAllSessionsCommand) -> None:
        user_id, own = session_of(command.actor)
        async with self.uow as tx:
            ended = await tx.sessions.revoke_all(
                user_id, self.clock.now(), but=own if command.keep_current else None
            )
            for session_id in ended:
                await self.auditor.record(
                    tx, command.actor, "session.revoked", Target("session", session_id)
                )
            await tx.commit()
