from collections.abc import Mapping
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
