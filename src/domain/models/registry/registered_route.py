from dataclasses import dataclass
from datetime import datetime

from domain.models.route import Route
from domain.shared.ids import RouteId, TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredRoute:
    """A route that a team has set up; it is ``route.owner``'s."""

    id: RouteId
    team_id: TeamId
    route: Route
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        return self.route.name
