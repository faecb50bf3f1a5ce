from dataclasses import dataclass
from datetime import datetime

from domain.shared.ids import TeamId, UserId
from domain.shared.names import check_name


@dataclass(slots=True, kw_only=True)
class Team:
    """A tenant. ``capture_content`` says whether prompts and answers are kept with the ledger."""

    id: TeamId
    name: str
    capture_content: bool
    created_at: datetime

    def rename(self, name: str) -> None:
        self.name = check_name(name)


@dataclass(slots=True, kw_only=True)
class User:
    """A person, or the owner made at the first start before any person has signed up."""

    id: UserId
    display_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A user's place in a team."""

    team_id: TeamId
    user_id: UserId
    role: str
