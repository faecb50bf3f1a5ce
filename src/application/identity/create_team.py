from dataclasses import dataclass, replace

from application.identity.allowance_change import UNCHANGED, AllowanceChange
from application.identity.ports import IdentityUnitOfWork
from application.identity.team_profile import TeamProfile, profile_of
from application.operations.ports import RuntimeSettings
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock, IdGenerator
from domain.identity.allowance import Subject, SubjectKind
from domain.identity.errors import UserNotFoundError
from domain.identity.membership import Membership
from domain.identity.permissions import ALL_PERMISSIONS, Permission, Role
from domain.identity.team import Team
from domain.shared.errors import FieldError, InvalidError
from domain.shared.ids import TeamId, UserId
from domain.shared.names import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTeamCommand:
    """Without an ``owner_id`` the actor's own user is the owner."""

    actor: Actor
    name: str
    owner_id: UserId | None = None
    allowance: AllowanceChange = UNCHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTeam:
    """Makes a new team with one owner: an account that exists already. Only for those who manage
    the server."""

    uow: IdentityUnitOfWork
    runtime: RuntimeSettings
    auditor: Auditor
    clock: Clock
    ids: IdGenerator

    async def __call__(self, command: CreateTeamCommand) -> TeamProfile:
        command.actor.require(Permission.MANAGE_SERVER)
        owner_id = command.owner_id or command.actor.user_id
        if owner_id is None:
            raise _wrong_owner("is needed, since nobody in particular makes the team")
        team = Team(
            id=TeamId(self.ids.new()),
            name=check_name(command.name),
            created_at=self.clock.now(),
        )
        there = replace(command.actor, team_id=team.id, permissions=ALL_PERMISSIONS)
        async with self.uow as tx:
            await self._check_owner(tx, owner_id)
            await tx.teams.add(team)
            await tx.memberships.add(Membership(team_id=team.id, user_id=owner_id, role=Role.OWNER))
            subject = Subject(SubjectKind.TEAM, team.id)
            await command.allowance.apply(tx, there, subject, self.clock.now())
            made = await profile_of(tx, team, self.runtime)
            await self.auditor.record(
                tx,
                there,
                "team.created",
                Target("team", team.id),
                after={**made.recorded, "owner_id": owner_id},
            )
            await tx.commit()
        return made

    async def _check_owner(self, tx: IdentityUnitOfWork, owner_id: UserId) -> None:
        try:
            owner = await tx.users.get(owner_id)
        except UserNotFoundError:
            raise _wrong_owner("is no user") from None
        if not owner.is_active:
            raise _wrong_owner("is not active")


def _wrong_owner(message: str) -> InvalidError:
    return InvalidError(
        f"'owner_id' {message}.", param="owner_id", errors=(FieldError("owner_id", message),)
    )
