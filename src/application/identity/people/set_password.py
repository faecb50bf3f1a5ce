from dataclasses import dataclass, field

from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.passwords import Passwords
from application.identity.people.account import account_in_reach, check_may_enter
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from domain.identity.permissions import Permission
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPasswordCommand:
    actor: Actor
    user_id: UserId
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPassword:
    """Sets the password of somebody in the team. All sessions of that account end, and links for a
    new password are worth nothing any more. Whoever may not change the account may not do this
    either."""

    uow: JoiningUnitOfWork
    auditor: Auditor
    clock: Clock
    passwords: Passwords

    async def __call__(self, command: SetPasswordCommand) -> None:
        actor = command.actor
        actor.require(Permission.MANAGE_MEMBERS)
        hashed = await self.passwords.hash_new(command.password)
        async with self.uow as tx:
            user = await tx.users.get(command.user_id)
            await check_may_enter(tx, actor, await account_in_reach(tx, actor, user.id))
            user.password_hash = hashed
            await tx.users.save(user)
            await tx.password_resets.forget(user.id)
            await tx.sessions.revoke_all(user.id, self.clock.now())
            await self.auditor.record(tx, actor, "user.password_set", Target("user", user.id))
            await tx.commit()
