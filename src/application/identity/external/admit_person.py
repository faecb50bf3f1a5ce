import asyncio
from dataclasses import dataclass, field, replace

from application.identity.external.ports import ExternalIdentity, KnownPerson
from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator
from domain.identity.errors import TeamNotFoundError
from domain.identity.membership import Membership
from domain.identity.permissions import Role
from domain.identity.user import User, fitting_display_name
from domain.operations.audit import ActorKind
from domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmitPerson:
    """Makes an account in the first team for somebody whom the identity provider vouches for.

    The account is a new one, whatever accounts have the same e-mail address, and it gets none:
    an address is a way to log in, and only a mail that reached it proves whose it is.
    """

    uow: IdentityUnitOfWork
    auditor: Auditor
    clock: Clock
    ids: IdGenerator
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, identity: ExternalIdentity, role: Role) -> KnownPerson:
        """Raises ``TeamNotFoundError`` while there is no team."""
        async with self._turn, self.uow as tx:
            # Nobody else is admitted meanwhile, on whatever node.
            team = await tx.teams.first()
            if team is None:
                raise TeamNotFoundError
            user = await tx.users.find_by_external(identity.issuer, identity.subject)
            if user is not None:
                return await _known(tx, user)
            user = self._account(identity)
            membership = Membership(team_id=team.id, user_id=user.id, role=role)
            await tx.users.add(user)
            await tx.memberships.add(membership)
            await self._record(tx, user, membership)
            person = await _known(tx, user)
            await tx.commit()
        return person

    def _account(self, identity: ExternalIdentity) -> User:
        now = self.clock.now()
        name = identity.name or identity.email or identity.subject
        return User(
            id=UserId(self.ids.new()),
            display_name=fitting_display_name(name),
            created_at=now,
            external_issuer=identity.issuer,
            external_subject=identity.subject,
            last_login_at=now,
        )

    async def _record(self, tx: IdentityUnitOfWork, user: User, membership: Membership) -> None:
        actor = Actor(team_id=membership.team_id, user_id=user.id, acting_as=ActorKind.USER)
        after = {
            "display_name": user.display_name,
            "external_issuer": user.external_issuer,
            "external_subject": user.external_subject,
            "role": membership.role,
        }
        await self.auditor.record(tx, actor, "user.created", Target("user", user.id), after=after)


async def _known(tx: IdentityUnitOfWork, user: User) -> KnownPerson:
    person = KnownPerson(
        user_id=user.id,
        is_active=user.is_active,
        is_operator=user.is_operator,
        team_id=None,
        role=None,
    )
    for oldest in (await tx.memberships.of_user(user.id))[:1]:
        return replace(
            person,
            team_id=oldest.team_id,
            role=oldest.role,
            allowances=await tx.allowances.bounding(oldest.team_id, user.id, None),
        )
    return person
