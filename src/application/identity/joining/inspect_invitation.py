from dataclasses import dataclass, field
from datetime import datetime

from application.identity.joining.pending_invitation import pending_invitation
from application.identity.joining.ports import JoiningUnitOfWork
from application.identity.session_ports import Attempts
from application.shared.correlation import origin
from application.shared.ports import Clock
from domain.identity.joining.attempts import token_subjects
from domain.identity.permissions import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectInvitationQuery:
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedInvitation:
    """``has_account`` says whether the invited has an account here already."""

    team_name: str
    email: str
    role: Role
    expires_at: datetime
    has_account: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectInvitation:
    """Shows whoever has the token of an invitation what it is to."""

    uow: JoiningUnitOfWork
    attempts: Attempts
    clock: Clock

    async def __call__(self, query: InspectInvitationQuery) -> InspectedInvitation:
        await self.attempts.count(token_subjects(origin.get().address))
        async with self.uow as tx:
            invitation = await pending_invitation(tx, query.token, self.clock.now())
            team = await tx.teams.get(invitation.team_id)
            user = await tx.users.find_by_email(invitation.email)
        return InspectedInvitation(
            team_name=team.name,
            email=invitation.email,
            role=invitation.role,
            expires_at=invitation.expires_at,
            has_account=user is not None,
        )
