from dataclasses import dataclass

from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.people.account import account_in_reach, check_may_enter
from application.identity.people.reset_links import OneTimeReset, ResetLinks
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from domain.identity.permissions import Permission
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePasswordResetCommand:
    actor: Actor
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePasswordReset:
    """Makes a one-time link by which somebody in the team sets a new password. Whoever may not
    change the account may not do this either."""

    uow: JoiningUnitOfWork
    auditor: Auditor
    resets: ResetLinks

    async def __call__(self, command: IssuePasswordResetCommand) -> OneTimeReset:
        actor = command.actor
        actor.require(Permission.MANAGE_MEMBERS)
        async with self.uow as tx:
            user = await tx.users.get(command.user_id)
            await check_may_enter(tx, actor, await account_in_reach(tx, actor, user.id))
            reset = await self.resets.issue(tx, user)
            await self.auditor.record(
                tx, actor, "user.password_reset_issued", Target("user", user.id)
            )
            await tx.commit()
        return reset
