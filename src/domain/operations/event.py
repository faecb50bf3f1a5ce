from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.identity.permissions import Permission
from domain.shared.ids import EventId, TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a team, for whoever listens.

    ``type`` is ``noun.verb`` (``budget.threshold_reached``). With a ``user_id`` it concerns that
    user alone, with a ``permission`` those who have it, else the whole team.
    """

    id: EventId
    team_id: TeamId
    at: datetime
    type: str
    data: Mapping[str, object]
    user_id: UserId | None = None
    permission: Permission | None = None

    def concerns(self, user_id: UserId | None, permissions: Collection[Permission]) -> bool:
        """Whether a member of the team with these permissions may hear of it."""
        if self.user_id is not None and self.user_id != user_id:
            return False
        return self.permission is None or self.permission in permissions
