from dataclasses import dataclass

from application.identity.ports import IdentityUnitOfWork
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.unset import UNSET, UnsetType
from domain.identity.permissions import Permission
from domain.identity.team import Team


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateTeamCommand:
    actor: Actor
    name: str | UnsetType = UNSET
    capture_content: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateTeam:
    """Renames the team or switches the capture of prompts and answers on or off."""

    uow: IdentityUnitOfWork
    auditor: Auditor

    async def __call__(self, command: UpdateTeamCommand) -> Team:
        command.actor.require(Permission.MANAGE_TEAM)
        async with self.uow as tx:
            team = await tx.teams.get(command.actor.team_id)
            before = _recorded(team)
            if command.name is not UNSET:
                team.rename(command.name)
            if command.capture_content is not UNSET:
                team.capture_content = command.capture_content
            await tx.teams.save(team)
            await self.auditor.record(
                tx,
                command.actor,
                "team.updated",
                Target("team", team.id),
                before=before,
                after=_recorded(team),
            )
            await tx.commit()
        return team


def _recorded(team: Team) -> dict[str, object]:
    return {"name": team.name, "capture_content": team.capture_content}
