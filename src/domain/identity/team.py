from dataclasses import dataclass
from datetime import datetime

from domain.shared.ids import TeamId
from domain.shared.names import check_name


@dataclass(slots=True, kw_only=True)
class Team:
    """A tenant."""

    id: TeamId
    name: str
    created_at: datetime

    def rename(self, name: str) -> None:
        self.name = check_name(name)
