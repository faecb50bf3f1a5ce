from dataclasses import dataclass
from datetime import datetime

from application.identity.ports import IdentityUnitOfWork
from application.operations.ports import RuntimeSettings
from domain.identity.allowance import Allowance, Subject, SubjectKind
from domain.identity.team import Team
from domain.operations.runtime_settings import CONTENT_CAPTURE
from domain.shared.ids import TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamProfile:
    """A team, whether prompts and answers are kept with its calls, and what all in it together may
    use."""

    id: TeamId
    name: str
    capture_content: bool
    created_at: datetime
    allowance: Allowance

    @property
    def recorded(self) -> dict[str, object]:
        """What the audit trail tells of the team."""
        return {
            "name": self.name,
            "capture_content": self.capture_content,
            "limits": self.allowance.limits,
            "budget": self.allowance.budget,
        }


async def profile_of(tx: IdentityUnitOfWork, team: Team, runtime: RuntimeSettings) -> TeamProfile:
    """As it is in this unit of work, which the settings in memory may not have heard of yet."""
    capture, _ = runtime.beneath(CONTENT_CAPTURE)
    for stored in await tx.settings.of(team.id):
        if stored.name == CONTENT_CAPTURE.name:
            capture = CONTENT_CAPTURE.parse(stored.value)
    return TeamProfile(
        id=team.id,
        name=team.name,
        capture_content=capture,
        created_at=team.created_at,
        allowance=await tx.allowances.get(team.id, Subject(SubjectKind.TEAM, team.id)),
    )
