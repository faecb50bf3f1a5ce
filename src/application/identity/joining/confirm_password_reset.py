from dataclasses import dataclass, field

from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.passwords import Passwords
from application.identity.session_ports import Attempts
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.correlation import origin
from application.shared.ports import Clock
from domain.identity.api_key import hash_secret
from domain.identity.joining.attempts import token_subjects
from domain.identity.joining.errors import ResetTokenInvalidError
from domain.identity.user import User
from domain.operations.audit import ActorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPasswordResetCommand:
    token: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPasswordReset:
    """Sets a new password with the token of a reset link, which works once and for half an hour,
    and ends all sessions of the user."""

    uow: JoiningUnitOfWork
    passwords: Passwords
    attempts: Attempts
    clock: Clock
    auditor: Auditor

    async def __call__(self, command: ConfirmPasswordResetCommand) -> None:
        await self.attempts.count(token_subjects(origin.get().address))
        async with self.uow as tx:
            # Not committed: a password that is refused shall not cost the link.
            await self._user_of(tx, command.token)
        password_hash = await self.passwords.hash_new(command.password)
        async with self.uow as tx:
            user = await self._user_of(tx, command.token)
            user.password_hash = password_hash
            await tx.users.save(user)
            ended = await tx.sessions.revoke_all(user.id, self.clock.now())
            await self._record(tx, user, len(ended))
            await tx.commit()

    async def _user_of(self, tx: JoiningUnitOfWork, token: str) -> User:
        reset = await tx.password_resets.take(hash_secret(token))
        if reset is None or not reset.is_live(self.clock.now()):
            raise ResetTokenInvalidError
        user = await tx.users.get(reset.user_id)
        if not user.is_active:
            raise ResetTokenInvalidError
        return user

    async def _record(self, tx: JoiningUnitOfWork, user: User, ended: int) -> None:
        """In each of the user's teams, whose admins may all want to know."""
        for membership in await tx.memberships.of_user(user.id):
            actor = Actor(team_id=membership.team_id, user_id=user.id, acting_as=ActorKind.USER)
            await self.auditor.record(
                tx,
                actor,
                "user.password_reset",
                Target("user", user.id),
                after={"ended_sessions": ended},
            )
