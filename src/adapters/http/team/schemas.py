from datetime import datetime
from typing import Self
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from adapters.http.allowances import (
    BudgetChange,
    BudgetTermsView,
    LimitsChange,
    LimitsView,
    budget_view,
    limits_of,
    limits_view,
    terms_of,
)
from adapters.http.partial_update import given
from application.identity.allowance_change import AllowanceChange
from application.identity.team_profile import TeamProfile
from application.identity.update_team import UpdateTeamCommand
from application.shared.actor import Actor
from domain.shared.ids import TeamId


class UpdateTeamBody(Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | UnsetType = UNSET
    capture_content: bool | UnsetType = UNSET
    limits: LimitsChange = UNSET
    budget: BudgetChange = UNSET

    def to_command(self, actor: Actor, team_id: TeamId | None = None) -> UpdateTeamCommand:
        return UpdateTeamCommand(
            actor=actor,
            team_id=team_id,
            name=given(self.name),
            capture_content=given(self.capture_content),
            allowance=AllowanceChange(limits=limits_of(self.limits), budget=terms_of(self.budget)),
        )


class TeamView(Struct, kw_only=True):
    id: UUID
    name: str
    capture_content: bool
    created_at: datetime
    limits: LimitsView | None
    budget: BudgetTermsView | None

    @classmethod
    def of(cls, team: TeamProfile) -> Self:
        return cls(
            id=team.id,
            name=team.name,
            capture_content=team.capture_content,
            created_at=team.created_at,
            limits=limits_view(team.allowance),
            budget=budget_view(team.allowance),
        )
