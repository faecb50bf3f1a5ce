from dataclasses import dataclass

from application.identity.allowance_change import UNCHANGED, AllowanceChange
from application.identity.ports import IdentityUnitOfWork
from application.identity.team_profile import TeamProfile, profile_of
from application.identity.team_reach import acting_in
from application.operations.ports import RuntimeSettings, StoredSetting
from application.shared.actor import Actor
from application.shared.auditing import Auditor, Target
from application.shared.ports import Clock
from application.shared.unset import UNSET, UnsetType
from domain.identity.allowance import Subject, SubjectKind
from domain.identity.permissions import Permission
from domain.identity.team import Team
from domain.operations.runtime_settings import CONTENT_CAPTURE
from domain.operations.setting_values import text_of
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateTeamCommand:
    """What is not given stays; without a ``team_id`` it is the team that the actor acts in."""

    actor: Actor
    team_id: TeamId | None = None
    name: str | UnsetType = UNSET
    capture_content: bool | UnsetType = UNSET
    allowance: AllowanceChange = UNCHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateTeam:
    """Renames a team, switches the capture of prompts and answers on or off, or changes what all in
    it together may use."""

    uow: IdentityUnitOfWork
    runtime: RuntimeSettings
    auditor: Auditor
    clock: Clock

    async def __call__(self, command: UpdateTeamCommand) -> TeamProfile:
        team_id = command.team_id or command.actor.team_id
        async with self.uow as tx:
            actor = await acting_in(tx, command.actor, team_id)
            actor.require(Permission.MANAGE_TEAM)
            if command.capture_content is not UNSET:
                actor.require(Permission.MANAGE_SETTINGS)
            command.allowance.must_be_allowed(actor)
            team = await tx.teams.get(team_id)
            before = await profile_of(tx, team, self.runtime)
            await self._change(tx, team, command)
            subject = Subject(SubjectKind.TEAM, team_id)
            await command.allowance.apply(tx, actor, subject, self.clock.now())
            after = await profile_of(tx, team, self.runtime)
            await self.auditor.record(
                tx,
                actor,
                "team.updated",
                Target("team", team_id),
                before=before.recorded,
                after=after.recorded,
            )
            await tx.commit()
        if command.capture_content is not UNSET:
            await self.runtime.catch_up(frozenset({team_id}))
        return after

    async def _change(self, tx: IdentityUnitOfWork, team: Team, command: UpdateTeamCommand) -> None:
        if command.name is not UNSET:
            team.rename(command.name)
            await tx.teams.save(team)
        if command.capture_content is not UNSET:
            await tx.settings.lock(team.id)
            value = text_of(command.capture_content)
            await tx.settings.put(
                StoredSetting(team_id=team.id, name=CONTENT_CAPTURE.name, value=value)
            )
