from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.identity.sessions.opening import OpenedSession, SessionOpening
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from domain.identity.api_key import hash_secret
from domain.identity.errors import RefreshTokenInvalidError
from domain.identity.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSessionCommand:
    refresh_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSession:
    """Gives a new access token, and a new refresh token in the place of the one that was used.

    A refresh token that is used a second time was copied, so the session ends for whoever has it.
    """

    uow: IdentityUnitOfWork
    clock: Clock
    opening: SessionOpening
    auditor: Auditor

    async def __call__(self, command: RefreshSessionCommand) -> OpenedSession:
        now = self.clock.now()
        async with self.uow as tx:
            found = await tx.sessions.find_refresh_token(hash_secret(command.refresh_token))
            if found is None:
                raise RefreshTokenInvalidError
            token, session = found
            if not session.is_live(now):
                raise RefreshTokenInvalidError
            if token.used_at is not None:
                await self._end(tx, session)
                raise RefreshTokenInvalidError
            member = await tx.memberships.find_member(session.team_id, session.user_id)
            if not member.user.is_active:
                raise RefreshTokenInvalidError
            await tx.sessions.use_refresh_token(token, now)
            opened = await self.opening.with_tokens(tx, member.user, session)
            await tx.commit()
        return opened

    async def _end(self, tx: IdentityUnitOfWork, session: Session) -> None:
        session.revoke(self.clock.now())
        await tx.sessions.save(session)
        await self.auditor.record(
            tx,
            Actor(team_id=session.team_id, user_id=session.user_id, session_id=session.id),
            "session.revoked",
            Target("session", session.id),
            after={"reason": "a refresh token was used twice"},
        )
        await tx.commit()
