from collections.abc import Callable
from dataclasses import dataclass, field

from application.operations.ports import CallObserver, ComponentHealth, HealthProbe, StoreProbe
from domain.inference.call import Call


@dataclass
class ToldHealthProbe(HealthProbe):
    """Answers what it was told and counts how often it was asked; ``answer`` may raise."""

    called: str
    answer: Callable[[], ComponentHealth] = ComponentHealth
    looks: int = 0

    @property
    def name(self) -> str:
        return self.called

    async def check(self) -> ComponentHealth:
        self.looks += 1
        return self.answer()


@dataclass
class ToldStoreProbe(ToldHealthProbe, StoreProbe):
    there: bool | None = None

    @property
    def is_there(self) -> bool | None:
        return self.there


@dataclass
class RecordingCallObserver(CallObserver):
    seen: list[Call] = field(default_factory=list)

    def observe(self, call: Call) -> None:
        self.seen.append(call)
