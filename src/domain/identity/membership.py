from dataclasses import dataclass

from domain.identity.permissions import Role
from domain.identity.user import User
from domain.shared.ids import TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A user's place in a team."""

    team_id: TeamId
    user_id: UserId
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A user with the role in one team."""

    user: User
    role: Role
