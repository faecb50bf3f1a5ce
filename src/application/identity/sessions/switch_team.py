from dataclasses import dataclass, replace

from application.identity.ports import IdentityUnitOfWork
from application.identity.sessions.person import session_of
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from domain.identity.errors import MemberNotFoundError, TeamNotFoundError
from domain.identity.session import Session
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchTeamCommand:
    actor: Actor
    team_id: TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchTeam:
    """Makes the person's session act in another of the person's teams, with the role there."""

    uow: IdentityUnitOfWork
    auditor: Auditor

    async def __call__(self, command: SwitchTeamCommand) -> Session:
        user_id, session_id = session_of(command.actor)
        async with self.uow as tx:
            session = await tx.sessions.get(user_id, session_id)
            if session.team_id == command.team_id:
                return session
            try:
                await tx.memberships.find_member(command.team_id, user_id)
            except MemberNotFoundError:
                raise TeamNotFoundError from None
            before, session.team_id = session.team_id, command.team_id
            await tx.sessions.save(session)
            await self.auditor.record(
                tx,
                replace(command.actor, team_id=command.team_id),
                "session.switched",
                Target("session", session.id),
                before={"team_id": str(before)},
                after={"team_id": str(session.team_id)},
            )
            await tx.commit()
        return session
