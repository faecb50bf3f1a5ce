from collections.abc import Sequence
from typing import Protocol

from domain.models.route import Route
from domain.models.served_model import ServedModel
from domain.shared.ids import TeamId


class ModelCatalog(Protocol):
    """The models that are served, and the routes over them. It is asked at every call, so it looks
    at nothing but memory.

    A team sees its own models and routes, those that other teams made public, and those of the
    configuration; where names clash, the first in that order wins. Models and routes share their
    names.
    """

    def find(self, name: str, team_id: TeamId) -> ServedModel | None:
        """The model of that name or alias, also a disabled one."""
        ...

    def route(self, name: str, team_id: TeamId) -> Route | None:
        """The route of that name or alias, also a disabled one."""
        ...

    def all(self, team_id: TeamId) -> Sequence[ServedModel]:
        """Every model that the team may see: its own by name, then those of others by name, then
        those of the configuration in its order."""
        ...

    def routes(self, team_id: TeamId) -> Sequence[Route]:
        """Every route that the team may see, in the order of ``all``."""
        ...
