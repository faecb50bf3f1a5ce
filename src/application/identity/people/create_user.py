from dataclasses import dataclass, field

from application.identity import allowance_change
from application.identity.allowance_change import UNCHANGED, AllowanceChange
from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.passwords import Passwords
from application.identity.people.account import Account, recorded
from application.identity.people.reset_links import OneTimeReset, ResetLinks
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator
from domain.identity.allowance import Subject, SubjectKind
from domain.identity.email import normalise_email
from domain.identity.joining.invitation import check_grant
from domain.identity.membership import Membership
from domain.identity.permissions import Permission, Role
from domain.identity.user import (
    DEFAULT_COLOUR,
    DEFAULT_LOCALE,
    User,
    check_colour,
    check_display_name,
    check_locale,
)
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUserCommand:
    """Without a ``password``, the answer has what the person needs to set one."""

    actor: Actor
    email: str
    display_name: str
    role: Role = Role.MEMBER
    password: str | None = field(default=None, repr=False)
    avatar_colour: str = DEFAULT_COLOUR
    locale: str = DEFAULT_LOCALE
    is_operator: bool = False
    allowance: AllowanceChange = UNCHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedUser:
    account: Account
    reset: OneTimeReset | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser:
    """Makes an account and lets it into the team.

    The person sets a password by the one-time link in the answer, unless a password is given.
    Nobody gives a role that may do more than he may himself.
    """

    uow: JoiningUnitOfWork
    auditor: Auditor
    clock: Clock
    ids: IdGenerator
    passwords: Passwords
    resets: ResetLinks

    async def __call__(self, command: CreateUserCommand) -> CreatedUser:
        actor = command.actor
        actor.require(Permission.MANAGE_MEMBERS)
        check_grant(command.role, actor.permissions)
        if command.is_operator:
            actor.require(Permission.MANAGE_SERVER)
        command.allowance.must_be_allowed(actor)
        user = await self._new_user(command)
        membership = Membership(team_id=actor.team_id, user_id=user.id, role=command.role)
        async with self.uow as tx:
            await tx.users.add(user)
            await tx.memberships.add(membership)
            allowance = await command.allowance.apply(
                tx, actor, Subject(SubjectKind.USER, user.id), self.clock.now()
            )
            reset = await self.resets.issue(tx, user) if user.password_hash is None else None
            after = {
                **recorded(user),
                "role": membership.role,
                **allowance_change.recorded(allowance),
            }
            await self.auditor.record(
                tx, actor, "user.created", Target("user", user.id), after=after
            )
            await tx.commit()
        account = Account(user=user, role=membership.role, allowance=allowance)
        return CreatedUser(account=account, reset=reset)

    async def _new_user(self, command: CreateUserCommand) -> User:
        password = command.password
        return User(
            id=UserId(self.ids.new()),
            email=normalise_email(command.email),
            display_name=check_display_name(command.display_name),
            avatar_colour=check_colour(command.avatar_colour),
            locale=check_locale(command.locale),
            is_operator=command.is_operator,
            password_hash=None if password is None else await self.passwords.hash_new(password),
            created_at=self.clock.now(),
        )
