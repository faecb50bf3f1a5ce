from dataclasses import dataclass, field

from application.identity.joining.pending_invitation import pending_invitation
from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.joining.prove_identity import ProveIdentity
from application.identity.passwords import Passwords
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator
from domain.identity.joining.errors import InvitationForAnotherError
from domain.identity.joining.invitation import Invitation
from domain.identity.membership import Membership
from domain.identity.user import User, check_display_name
from domain.operations.audit import ActorKind
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptInvitationCommand:
    """``actor`` is whoever has a session already; without a ``password`` it has to be the invited.
    ``display_name`` is for a new account; without one it is what stands before the `@`."""

    token: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    display_name: str | None = None
    actor: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    user: User
    membership: Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptInvitation:
    """Joins the team with the token of an invitation. Who is new gets an account with the password;
    who has one gives its password, or has a session."""

    uow: JoiningUnitOfWork
    prove: ProveIdentity
    passwords: Passwords
    clock: Clock
    ids: IdGenerator
    auditor: Auditor

    async def __call__(self, command: AcceptInvitationCommand) -> Joined:
        await self.prove.count()
        async with self.uow as tx:
            # Nothing is written yet: what follows takes time, in which nothing shall be locked.
            invitation = await pending_invitation(tx, command.token, self.clock.now())
            known = await tx.users.find_by_email(invitation.email)
        if known is not None:
            await self.prove(known, password=command.password, actor=command.actor)
            return await self._join(command.token, known, is_new=False)
        newcomer = await self._newcomer(command, invitation)
        return await self._join(command.token, newcomer, is_new=True)

    async def _newcomer(self, command: AcceptInvitationCommand, invitation: Invitation) -> User:
        if command.password is None:
            raise InvitationForAnotherError
        name = command.display_name
        if name is None:
            name = invitation.email.rpartition("@")[0]
        return User(
            id=UserId(self.ids.new()),
            display_name=check_display_name(name),
            email=invitation.email,
            password_hash=await self.passwords.hash_new(command.password),
            created_at=self.clock.now(),
        )

    async def _join(self, token: str, user: User, *, is_new: bool) -> Joined:
        async with self.uow as tx:
            invitation = await pending_invitation(tx, token, self.clock.now())
            if is_new:
                await tx.users.add(user)
            membership = Membership(
                team_id=invitation.team_id, user_id=user.id, role=invitation.role
            )
            await tx.memberships.add(membership)
            invitation.accept(user.id, at=self.clock.now())
            await tx.invitations.save(invitation)
            await self._record(tx, invitation, user, is_new=is_new)
            await tx.commit()
        return Joined(user=user, membership=membership)

    async def _record(
        self, tx: JoiningUnitOfWork, invitation: Invitation, user: User, *, is_new: bool
    ) -> None:
        actor = Actor(team_id=invitation.team_id, user_id=user.id, acting_as=ActorKind.USER)
        if is_new:
            after = {"email": user.email, "display_name": user.display_name}
            await self.auditor.record(
                tx, actor, "user.created", Target("user", user.id), after=after
            )
        await self.auditor.record(
            tx,
            actor,
            "invitation.accepted",
            Target("invitation", invitation.id),
            after={"email": invitation.email, "role": invitation.role, "user_id": str(user.id)},
        )
