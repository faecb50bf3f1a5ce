from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.identity.sessions.person import session_of
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from domain.identity.errors import SessionNotFoundError
from domain.shared.ids import SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeSessionCommand:
    """Without ``session_id`` it is the actor's own."""

    actor: Actor
    session_id: SessionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeSession:
    """Ends one of the person's sessions; every node refuses it at once."""

    uow: IdentityUnitOfWork
    clock: Clock
    auditor: Auditor

    async def __call__(self, command: RevokeSessionCommand) -> None:
        user_id, own = session_of(command.actor)
        now = self.clock.now()
        async with self.uow as tx:
            session = await tx.sessions.get(user_id, command.session_id or own)
            if not session.is_live(now):
                raise SessionNotFoundError
            session.revoke(now)
            await tx.sessions.save(session)
            await self.auditor.record(
                tx, command.actor, "session.revoked", Target("session", session.id)
            )
            await tx.commit()
