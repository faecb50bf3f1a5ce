from dataclasses import dataclass

from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.passwords import Passwords
from application.identity.session_ports import Attempts
from application.identity.sessions.person import session_of
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from domain.identity.attempts import LOGINS_PER_ACCOUNT, AttemptSubject
from domain.identity.errors import WrongPasswordError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePasswordCommand:
    actor: Actor
    current_password: str
    new_password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """Gives the person another password, for whoever knows the present one. All other sessions of
    the person end at once, and links for a new password are worth nothing any more."""

    uow: JoiningUnitOfWork
    passwords: Passwords
    attempts: Attempts
    clock: Clock
    auditor: Auditor

    async def __call__(self, command: ChangePasswordCommand) -> None:
        user_id, session_id = session_of(command.actor)
        # A stolen session is not enough to find the password out.
        subject = AttemptSubject("present password", str(user_id), LOGINS_PER_ACCOUNT)
        await self.attempts.count([subject])
        async with self.uow as tx:
            user = await tx.users.get(user_id)
        if not await self.passwords.is_right(user, command.current_password):
            raise WrongPasswordError
        await self.attempts.forgive([subject])
        hashed = await self.passwords.hash_new(command.new_password, param="new_password")
        async with self.uow as tx:
            locked = await tx.users.get(user_id)
            # Somebody may have changed it meanwhile.
            if locked.password_hash != user.password_hash:
                raise WrongPasswordError
            locked.password_hash = hashed
            await tx.users.save(locked)
            await tx.password_resets.forget(user_id)
            ended = await tx.sessions.revoke_all(user_id, self.clock.now(), but=session_id)
            target = Target("user", user_id)
            await self.auditor.record(
                tx,
                command.actor,
                "password.changed",
                target,
                after={"sessions_revoked": len(ended)},
            )
            await tx.commit()
