from collections.abc import Callable
from dataclasses import dataclass, field

from application.inference.routing.ports import (
    DeploymentBoard,
    DeploymentNews,
    DeploymentProbe,
    Pauses,
)
from domain.models.served_model import ServedModel
from tests.fakes.clock import FrozenClock


@dataclass
class InMemoryDeploymentBoard(DeploymentBoard):
    """The board of all processes; what was announced is in ``told``."""

    told: list[DeploymentNews] = field(default_factory=list)
    standing: dict[str, DeploymentNews] = field(default_factory=dict)
    followers: list[Callable[[DeploymentNews], None]] = field(default_factory=list)

    def announce(self, news: DeploymentNews) -> None:
        self.told.append(news)
        if news.out_s is None:
            self.standing.pop(news.deployment, None)
        else:
            self.standing[news.deployment] = news
        for hear in self.followers:
            hear(news)

    def follow(self, hear: Callable[[DeploymentNews], None]) -> None:
        self.followers.append(hear)
        for news in self.standing.values():
            hear(news)


@dataclass
class ScriptedProbe(DeploymentProbe):
    """Those in ``alive`` answer; ``asked`` are the deployments that were asked."""

    alive: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def is_alive(self, model: ServedModel) -> bool:
        self.asked.append(model.deployment)
        return model.deployment in self.alive


@dataclass
class ClockedPauses(Pauses):
    """Waits no real time: the clock goes on by the most that was asked for; what was asked for is
    in ``made``, the least and the most."""

    clock: FrozenClock
    made: list[tuple[float, float]] = field(default_factory=list)

    async def pause(self, least_s: float, most_s: float) -> None:
        self.made.append((least_s, most_s))
        self.clock.advance(most_s)
