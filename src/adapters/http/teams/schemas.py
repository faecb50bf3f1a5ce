from datetime import datetime
from typing import Self
from uuid import UUID

from msgspec import UNSET, Struct

from adapters.http.allowances import BudgetChange, LimitsChange, limits_of, terms_of
from adapters.http.page_numbers import numbers_of
from application.identity.allowance_change import AllowanceChange
from application.identity.create_team import CreateTeamCommand
from application.shared.actor import Actor
from application.shared.pagination import Page
from domain.identity.team import Team
from domain.shared.ids import UserId


class CreateTeamBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Without an `owner_id` whoever asks owns the team."""

    name: str
    owner_id: UUID | None = None
    limits: LimitsChange = UNSET
    budget: BudgetChange = UNSET

    def to_command(self, actor: Actor) -> CreateTeamCommand:
        return CreateTeamCommand(
            actor=actor,
            name=self.name,
            owner_id=None if self.owner_id is None else UserId(self.owner_id),
            allowance=AllowanceChange(limits=limits_of(self.limits), budget=terms_of(self.budget)),
        )


class TeamSummaryView(Struct, kw_only=True):
    id: UUID
    name: str
    created_at: datetime

    @classmethod
    def of(cls, team: Team) -> Self:
        return cls(id=team.id, name=team.name, created_at=team.created_at)


class TeamPage(Struct, kw_only=True):
    items: tuple[TeamSummaryView, ...]
    total: int
    page: int
    page_size: int
    total_pages: int

    @classmethod
    def of(cls, page: Page[Team]) -> Self:
        return cls(
            items=tuple(map(TeamSummaryView.of, page.items)),
            **numbers_of(page),
        )
