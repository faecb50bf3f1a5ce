from datetime import datetime
from typing import Self
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from adapters.http.partial_update import given
from application.identity.team_profile import TeamProfile
from application.identity.update_team import UpdateTeamCommand
from application.shared.actor import Actor


class UpdateTeamBody(Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | UnsetType = UNSET
    capture_content: bool | UnsetType = UNSET

    def to_command(self, actor: Actor) -> UpdateTeamCommand:
        return UpdateTeamCommand(
            actor=actor, name=given(self.name), capture_content=given(self.capture_content)
        )


class TeamView(Struct, kw_only=True):
    id: UUID
    name: str
    capture_content: bool
    created_at: datetime

    @classmethod
    def of(cls, team: TeamProfile) -> Self:
        return cls(
            id=team.id,
            name=team.name,
            capture_content=team.capture_content,
            created_at=team.created_at,
        )
