"""What routing needs from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from domain.models.served_model import ServedModel

PROBED = "probed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentNews:
    """``deployment`` identifies one among those of all teams. It is not to be asked for ``out_s``
    seconds because of ``reason``, the code of an error or ``PROBED``: the process ``by`` tries it.
    ``None`` says that it works again."""

    deployment: str
    out_s: float | None
    reason: str = ""
    by: str = ""


class DeploymentBoard(Protocol):
    """Where processes tell each other which deployments fail. What one announces, all others that
    follow have heard within a second or so; nobody waits for it."""

    def announce(self, news: DeploymentNews) -> None:
        """Never blocks and never fails: what cannot be told now is told later, if it still
        matters."""
        ...

    def follow(self, hear: Callable[[DeploymentNews], None]) -> None:
        """Call ``hear`` with what the others announce, and first with what stands. A process may
        hear its own news too."""
        ...


class Pauses(Protocol):
    """Waiting."""

    async def pause(self, least_s: float, most_s: float) -> None:
        """Wait a time between the two, by chance, so that not all who failed together try again
        together."""
        ...


class DeploymentProbe(Protocol):
    """Asks providers for signs of life, without making a call that costs anything."""

    async def is_alive(self, model: ServedModel) -> bool:
        """Whether the provider of the model answers; false also where it cannot be asked."""
        ...
