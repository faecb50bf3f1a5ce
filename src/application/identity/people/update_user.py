from dataclasses import dataclass

from application.identity import allowance_change
from application.identity.allowance_change import UNCHANGED, AllowanceChange
from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.people.account import (
    Account,
    account_in_reach,
    check_may_change,
    check_may_enter,
    recorded,
)
from application.identity.people.deactivation import Deactivation
from application.identity.people.member_keys import MemberKeys
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from application.shared.unset import UNSET, UnsetType
from domain.identity.allowance import Allowance, Subject, SubjectKind
from domain.identity.email import normalise_email
from domain.identity.errors import UserNotFoundError
from domain.identity.permissions import Permission, permissions_of
from domain.identity.user import User
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What is not given stays. With ``keep_keys`` the keys of an account that is deactivated go on,
    and those of one that is no operator any more may do what they could."""

    email: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    avatar_colour: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    is_operator: bool | UnsetType = UNSET
    keep_keys: bool = False

    @property
    def is_empty(self) -> bool:
        members = (self.email, self.display_name, self.avatar_colour, self.locale)
        return all(m is UNSET for m in (*members, self.is_active, self.is_operator))

    def describe(self, user: User) -> None:
        """Make the changes that concern nothing but the user."""
        if self.email is not UNSET:
            user.email = normalise_email(self.email)
        if self.display_name is not UNSET:
            user.rename(self.display_name)
        if self.avatar_colour is not UNSET:
            user.recolour(self.avatar_colour)
        if self.locale is not UNSET:
            user.speak(self.locale)


NO_CHANGE = UserChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUserCommand:
    actor: Actor
    user_id: UserId
    change: UserChange = NO_CHANGE
    allowance: AllowanceChange = UNCHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUser:
    """Changes an account, or what its user may use in the team; at once and on every node.

    An account of several teams, or of an operator, is changed by operators only; owners are
    changed by owners. Deactivating ends all sessions and revokes the user's API keys; the last
    owner of a team stays active.
    """

    uow: JoiningUnitOfWork
    auditor: Auditor
    clock: Clock
    keys: MemberKeys
    deactivation: Deactivation

    async def __call__(self, command: UpdateUserCommand) -> Account:
        actor, change = command.actor, command.change
        command.allowance.must_be_allowed(actor)
        if not change.is_empty or command.allowance.is_empty:
            actor.require(Permission.MANAGE_MEMBERS)
        if change.is_operator is not UNSET:
            actor.require(Permission.MANAGE_SERVER)
        async with self.uow as tx:
            user = await tx.users.get(command.user_id)
            account = await account_in_reach(tx, actor, command.user_id)
            if not change.is_empty:
                # Passwords are reset by mail.
                check = check_may_change if change.email is UNSET else check_may_enter
                await check(tx, actor, account)
                await self._change(tx, command, user)
            allowance = account.allowance
            if not command.allowance.is_empty:
                allowance = await self._allowed(tx, command, account)
            await tx.commit()
        return Account(user=user, role=account.role, allowance=allowance)

    async def _change(self, tx: JoiningUnitOfWork, command: UpdateUserCommand, user: User) -> None:
        actor, change = command.actor, command.change
        before = recorded(user)
        change.describe(user)
        action = "user.updated"
        if change.is_active is not UNSET and change.is_active != user.is_active:
            action = "user.activated" if change.is_active else "user.deactivated"
            if change.is_active:
                user.is_active = True
            else:
                await self.deactivation(tx, actor, user, keep_keys=change.keep_keys)
        if change.is_operator is not UNSET and change.is_operator != user.is_operator:
            user.is_operator = change.is_operator
            if not (change.is_operator or change.keep_keys):
                await self._narrow_keys(tx, actor, user)
        if user.email != before["email"]:
            await tx.password_resets.forget(user.id)
        await tx.users.save(user)
        target = Target("user", user.id)
        await self.auditor.record(tx, actor, action, target, before=before, after=recorded(user))

    async def _narrow_keys(self, tx: JoiningUnitOfWork, actor: Actor, user: User) -> None:
        for membership in await tx.memberships.of_user(user.id):
            await self.keys.narrow(tx, actor, membership, permissions_of(membership.role))

    async def _allowed(
        self, tx: JoiningUnitOfWork, command: UpdateUserCommand, account: Account
    ) -> Allowance:
        if account.role is None:
            raise UserNotFoundError
        subject = Subject(SubjectKind.USER, command.user_id)
        after = await command.allowance.apply(tx, command.actor, subject, self.clock.now())
        await self.auditor.record(
            tx,
            command.actor,
            "user.allowance_changed",
            Target("user", command.user_id),
            before=allowance_change.recorded(account.allowance),
            after=allowance_change.recorded(after),
        )
        return after
